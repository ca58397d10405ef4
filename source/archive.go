package source

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"ddx"
)

// Limits on what may come out of archives: a small file must not fill the
// memory, the disk or the day.
const (
	maxExpanded = 16 << 30  // bytes out of compression, over all paths
	maxRatio    = 600       // bytes out for one in, counted once freeRatio bytes came out
	freeRatio   = 256 << 20 // zeros compress well: below this no ratio is a bomb
	maxMembers  = 500_000   // files in archives
	maxNested   = 2         // archives within each other
)

// content reads a stream whatever it is: compressed, an archive, a bundle, or
// the material itself.
func (c *collector) content(m material, r io.Reader, nested int) {
	c.o.progress("reading "+m.origin, 0, 0)
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(600)
	if err != nil && err != io.EOF && len(head) == 0 { // else what came before it is kept, and it comes again
		m.named = true // itself, or with the folder or archive around it
		c.absent(m, reasonOf(err), err.Error())
		return
	}
	if len(head) == 0 && m.named {
		c.absent(m, ddx.NotReadable, "it is empty: did the command that was to fill it fail?")
		return
	}
	switch form := formOf(head); form {
	case "gzip", "bzip2", "xz", "zstd":
		c.compressed(m, br, form, nested)
	case "tar":
		c.archive(m, br, nested, c.tar)
	case "zip":
		c.archive(m, br, nested, c.zip)
	case "journal":
		c.journalFile(m, br)
	default:
		if isDeflatedCrash(m.name) {
			c.crash(m, br)
			return
		}
		plain, changed := decoded(br)
		if changed {
			m.reopen, m.size = nil, -1
		}
		c.store(m, plain)
	}
}

// formOf tells compression and archives by their first bytes.
func formOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b\x08")):
		return "gzip"
	case bytes.HasPrefix(head, []byte(journalMagic)):
		return "journal"
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) > 9 && bytes.HasPrefix(head[4:], []byte("1AY&SY")):
		return "bzip2"
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return "xz"
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return "zstd"
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return "zip"
	case len(head) >= 512 && string(head[257:262]) == "ustar":
		return "tar"
	}
	return ""
}

// compressed reads what is under one layer of compression.
func (c *collector) compressed(m material, r io.Reader, form string, nested int) {
	in := &counter{r: r}
	var plain io.Reader
	var err error
	switch form {
	case "gzip":
		plain, err = gzip.NewReader(in)
	case "bzip2":
		plain = bzip2.NewReader(in)
	case "xz":
		plain, err = xz.ReaderConfig{DictCap: 8 << 20}.NewReader(in)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(in, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1)); err == nil {
			defer z.Close()
			plain = z
		}
	}
	if err != nil {
		c.damaged(m, fmt.Sprintf("%s at offset %d: %v", form, in.n, err))
		return
	}
	for _, ext := range []string{".gz", ".bz2", ".xz", ".zst", ".tgz", ".txz"} {
		if cut, ok := strings.CutSuffix(m.name, ext); ok && cut != "" {
			m.name = cut
		}
	}
	m.reopen, m.size = nil, -1
	c.content(m, &guard{c: c, in: in, r: plain, form: form}, nested)
}

// counter counts the bytes read from a stream.
type counter struct {
	r io.Reader
	n int64
}

func (r *counter) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += int64(n)
	return n, err
}

// guard passes what comes out of compression, and ends it with an error where
// it grows beyond the limits. Its errors name the offset in the compressed stream.
type guard struct {
	c    *collector
	in   *counter
	r    io.Reader
	form string
	out  int64
}

func (g *guard) Read(p []byte) (int, error) {
	if err := g.c.ctx.Err(); err != nil {
		return 0, err
	}
	if g.c.left <= 0 {
		return 0, fmt.Errorf("%s at offset %d: more than %d GiB came out of compression in all; read fewer files at once", g.form, g.in.n, maxExpanded>>30)
	}
	if g.out > freeRatio && g.out > maxRatio*g.in.n {
		return 0, fmt.Errorf("%s at offset %d: %d bytes made %d: a decompression bomb", g.form, g.in.n, g.in.n, g.out)
	}
	n, err := g.r.Read(p[:min(int64(len(p)), g.c.left)])
	g.out += int64(n)
	g.c.left -= int64(n)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s at offset %d: %w", g.form, g.in.n, err)
	}
	return n, err
}

// archive reads an archive unless it lies too deep in others.
func (c *collector) archive(m material, r io.Reader, nested int, read func(material, io.Reader, int)) {
	if nested >= maxNested {
		c.damaged(m, "an archive within an archive within an archive is not read; unpack it first")
		return
	}
	read(m, r, nested+1)
}

func (c *collector) tar(m material, r io.Reader, nested int) {
	in := &counter{r: r}
	tr := tar.NewReader(in)
	for first := true; ; first = false {
		h, err := tr.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			m.reopen = nil
			c.damaged(m, fmt.Sprintf("tar at offset %d: %v", in.n, err))
			return
		}
		if first && h.Name == bundleIndex {
			c.bundle(m, tr)
			return
		}
		member, ok := c.member(m, h.Name)
		if !ok {
			return
		}
		switch h.Typeflag {
		case tar.TypeReg:
			if member.inside == "" {
				c.absent(member, ddx.NotReadable, fmt.Sprintf("tar at offset %d: the name %q leads out of the archive", in.n, h.Name))
				continue
			}
			member.time = h.ModTime
			c.content(member, tr, nested)
		case tar.TypeSymlink, tar.TypeLink:
			target := h.Linkname
			if h.Typeflag == tar.TypeSymlink {
				target = path.Join(path.Dir(strings.Trim(h.Name, "/")), h.Linkname)
			}
			// An absolute link of a sosreport is one into the host's own root.
			if member.inside == "" || !strings.HasPrefix(h.Linkname, "/") && strings.HasPrefix(path.Clean(target), "..") {
				c.absent(member, ddx.NotReadable, fmt.Sprintf("tar at offset %d: the link to %q leads out of the archive", in.n, h.Linkname))
			}
		}
	}
}

// member counts a member of an archive and makes its material; inside is empty
// for a name that leads out of the archive.
func (c *collector) member(m material, name string) (material, bool) {
	if c.members++; c.members > maxMembers {
		if c.members == maxMembers+1 {
			c.damaged(m, fmt.Sprintf("more than %d files in archives: the rest is not read", maxMembers))
		}
		return material{}, false
	}
	clean := path.Clean(strings.ReplaceAll(name, "\\", "/"))
	out := material{origin: m.origin + "/" + name, name: path.Base(clean), inside: path.Join(prefixOf(m), clean), size: -1}
	if strings.HasPrefix(clean, "/") || clean == ".." || strings.HasPrefix(clean, "../") {
		out.inside = ""
	}
	return out, true
}

// prefixOf keeps a nested archive with the host whose folder it lies in.
func prefixOf(m material) string {
	if host, _ := hostOf(m.inside); host != "" {
		return "hosts/" + host
	}
	return ""
}

func (c *collector) zip(m material, r io.Reader, nested int) {
	var whole Item
	s := &spool{}
	defer s.close()
	if err := s.store(&whole, r); err != nil {
		c.damaged(m, fmt.Sprintf("zip at offset %d: %v", whole.Size, err))
		return
	}
	var at io.ReaderAt = bytes.NewReader(whole.Data)
	if whole.Open != nil {
		at = io.NewSectionReader(s.f, s.size-whole.Size, whole.Size)
	}
	z, err := zip.NewReader(at, whole.Size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		c.damaged(m, fmt.Sprintf("zip of %d bytes: %v; its directory is at the end: is it complete?", whole.Size, err))
		return
	}
	for _, f := range z.File {
		member, ok := c.member(m, f.Name)
		if !ok {
			return
		}
		offset, _ := f.DataOffset() // only for the message
		switch {
		case f.Mode().IsDir():
		case member.inside == "":
			c.absent(member, ddx.NotReadable, fmt.Sprintf("zip at offset %d: the name %q leads out of the archive", offset, f.Name))
		case f.Mode().IsRegular():
			in, err := f.Open()
			if err != nil {
				c.damaged(member, fmt.Sprintf("zip at offset %d: %v", offset, err))
				continue
			}
			member.time = f.Modified
			c.content(member, &guard{c: c, in: &counter{n: int64(f.CompressedSize64)}, r: in, form: "zip"}, nested)
			in.Close()
		}
	}
}
