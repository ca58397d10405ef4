package source

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ddx"
)

// OpenFiles reads paths: files, "-" for Options.Stdin, directories, archives
// (tar and zip, compressed by gzip, bzip2, xz or zstd, an archive in an archive
// once), bundles of ddx and sosreports. Loose files are the evidence of one
// host and make one take. A folder or archive with hosts/NAME/ makes one take a
// host, and one without a name for what lies in cloud/ and feeds/. What cannot
// be read, or is not there, becomes an item that says why, and the rest is read
// all the same; the error is for a reader of Options.As that is unknown.
//
// The caller closes each take.
func OpenFiles(ctx context.Context, paths []string, o Options) ([]Take, error) {
	for p, name := range o.As {
		if readerNamed(name) == nil {
			return nil, fmt.Errorf("read %s as %q: no such kind of material; 'ddx collect --list' names them", p, name)
		}
	}
	c := &collector{ctx: ctx, o: &o, takes: map[string]*Take{}, spool: &spool{}, left: maxExpanded}
	seen := map[string]bool{}
	for _, p := range paths {
		clean := filepath.Clean(p)
		if seen[clean] {
			continue // said twice, it is no second witness
		}
		seen[clean] = true
		if err := c.path(p); err != nil {
			c.spool.close() // nothing was handed out yet
			return nil, err
		}
	}
	if len(c.takes) == 0 && len(c.bundles) == 0 {
		c.take("")
	}
	all := append(takes(c.takes), c.bundles...)
	for i := range all {
		finish(&all[i], &o)
		all[i].spool, all[i].location = c.spool, o.Location
	}
	return all, ctx.Err()
}

// finish sets the header of a take of loose files: now is the latest time seen
// in the material, or the clock's when there is none.
func finish(t *Take, o *Options) {
	if t.Header.DDX == "" {
		t.Header.DDX = o.Version
	}
	t.Header.Schema = ddx.RecordSchema
	if t.Header.Now.IsZero() {
		t.Header.Now = latest(t, o)
	}
}

// collector gathers the items of OpenFiles.
type collector struct {
	ctx     context.Context
	o       *Options
	takes   map[string]*Take // by host
	bundles []Take
	spool   *spool
	left    int64 // bytes that may still come out of compression
	members int   // of archives, so far
}

func (c *collector) take(host string) *Take {
	t := c.takes[host]
	if t == nil {
		t = &Take{Header: ddx.Header{Host: host}}
		c.takes[host] = t
	}
	return t
}

// material is one stream of bytes and where it comes from.
type material struct {
	origin string // path, with the path within an archive after it
	name   string // base name or command line
	time   time.Time
	named  bool   // the caller named it
	as     string // the reader that must be used
	inside string // path within the folder or archive, which tells the host
	reopen func() (*os.File, error)
	size   int64
}

func (c *collector) path(p string) error {
	if p == "-" {
		if c.o.Stdin == nil {
			return errors.New("read -: no standard input here")
		}
		c.content(material{origin: "stdin", name: "stdin", named: true, as: c.o.As["-"], size: -1}, c.o.Stdin, 0)
		return nil
	}
	st, err := os.Stat(p)
	if err != nil {
		detail := err.Error()
		if strings.Contains(p, "://") {
			detail = "ddx fetches nothing: fetch it yourself, to a file or into 'ddx diagnose -'"
		}
		c.absent(material{origin: filepath.ToSlash(p), name: filepath.Base(p), named: true}, reasonOf(err), detail)
		return nil
	}
	if st.IsDir() {
		return c.dir(p)
	}
	m := material{origin: filepath.ToSlash(p), name: filepath.Base(p), time: st.ModTime(), named: true, as: c.o.As[p], size: st.Size()}
	switch {
	case st.Mode().IsRegular() && onPseudo(p):
		c.pseudoFile(m, p)
	case st.Mode().IsRegular():
		c.file(m, st, func() (*os.File, error) { return os.Open(p) })
	case st.Mode()&fs.ModeNamedPipe != 0:
		m.size = -1
		c.pipe(m, p)
	default:
		c.absent(m, ddx.NotReadable, "neither a file, a folder nor a pipe; save what it holds to a file, or send it to 'ddx diagnose -'")
	}
	return nil
}

// file reads one file that can be opened again.
func (c *collector) file(m material, st fs.FileInfo, open func() (*os.File, error)) {
	if st.Mode().IsRegular() {
		m.reopen = open
	}
	f, err := open()
	if err != nil {
		m.named = m.named || st.Mode().Perm()&0o444 != 0 // with the folder around it; what can be written only has nothing to tell
		c.absent(m, reasonOf(err), err.Error())
		return
	}
	defer f.Close()
	c.content(m, f, 0)
}

// pipe reads a named pipe, or what a shell puts in the place of <(COMMAND). It
// is opened without waiting for a writer: a pipe that nobody writes to is empty.
// The end of the context ends the reading too.
func (c *collector) pipe(m material, p string) {
	f, err := os.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		c.absent(m, reasonOf(err), err.Error())
		return
	}
	defer f.Close()
	defer context.AfterFunc(c.ctx, func() { f.Close() })()
	c.content(m, f, 0)
}

// dir reads a folder. Links that stay within it are the same material again
// and are passed over; a link that leads out of it is not followed.
func (c *collector) dir(p string) error {
	whole := material{origin: filepath.ToSlash(p), name: filepath.Base(p), named: true}
	if onPseudo(p) {
		c.absent(whole, ddx.NotAsked, pseudoFolder)
		return nil
	}
	root, err := os.OpenRoot(p)
	if err != nil {
		c.absent(whole, reasonOf(err), err.Error())
		return nil
	}
	defer root.Close()
	if is, err := c.unpacked(root, p); err != nil {
		c.damaged(whole, err.Error())
		return nil
	} else if is {
		return nil
	}
	fsys := root.FS()
	files := 0
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if ctxErr := c.ctx.Err(); ctxErr != nil {
			return ctxErr
		}
		m := material{origin: path.Join(filepath.ToSlash(p), name), name: path.Base(name), inside: name, as: c.o.As[filepath.Join(p, name)]}
		if err != nil {
			m.named = true // with the folder around it
			files++
			c.absent(m, reasonOf(err), err.Error())
			return nil
		}
		switch {
		case d.IsDir():
			if name != "." && onPseudo(filepath.Join(p, filepath.FromSlash(name))) {
				c.absent(m, ddx.NotAsked, pseudoFolder)
				return fs.SkipDir
			}
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			if _, err := root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				c.absent(m, ddx.NotReadable, "a link that leads out of the folder is not followed; name its target to read it")
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		files++
		st, err := d.Info()
		if err != nil {
			c.absent(m, reasonOf(err), err.Error())
			return nil
		}
		m.time, m.size = st.ModTime(), st.Size()
		c.file(m, st, func() (*os.File, error) { return os.Open(filepath.Join(p, filepath.FromSlash(name))) })
		return nil
	})
	if files == 0 && err == nil {
		c.absent(whole, ddx.NotReadable, "there is no file in it")
	}
	return err
}

// reasonOf gives an error its reason.
func reasonOf(err error) ddx.Absence {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return deniedHere()
	case errors.Is(err, fs.ErrNotExist):
		return ddx.NotThere
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return ddx.TimedOut
	}
	return ddx.NotReadable
}

func (c *collector) absent(m material, reason ddx.Absence, detail string) {
	host, _ := hostOf(m.inside)
	t := c.take(host)
	t.Items = append(t.Items, Item{Origin: m.origin, Name: m.name, Absent: reason, Detail: detail, Named: m.named, Reader: m.as, Size: -1})
}

// damaged is absent for material that is there and cannot be read to its end:
// it was named, by itself or with the folder or archive around it.
func (c *collector) damaged(m material, detail string) {
	m.named = true
	c.absent(m, ddx.NotReadable, detail)
}

// hostOf tells which host a path in a many-host folder belongs to: the part
// after "hosts", which may stand below one top folder.
func hostOf(inside string) (host, rest string) {
	parts := strings.Split(inside, "/")
	for i := range min(2, len(parts)) {
		if parts[i] == "hosts" && len(parts) > i+2 {
			return parts[i+1], strings.Join(parts[i+2:], "/")
		}
	}
	return "", inside
}

// store keeps plain content as one item, or as several where it has sections.
func (c *collector) store(m material, r io.Reader) {
	host, rest := hostOf(m.inside)
	t := c.take(host)
	it := Item{Origin: m.origin, Name: nameOf(m.name, rest), Time: m.time, Host: host, Named: m.named, Reader: m.as, Size: -1}
	err := c.keep(&it, m, r)
	if it.Size != 0 || err == nil {
		t.Items = append(t.Items, c.refine(it)...)
	}
	if err != nil {
		c.damaged(m, fmt.Sprintf("after %d bytes of it: %v", it.Size, err))
	}
}

// keep reads the content into the item. A large file of the disk is not
// copied: it is opened again where it lies.
func (c *collector) keep(it *Item, m material, r io.Reader) error {
	if m.reopen == nil || m.size < smallItem {
		return c.spool.store(it, contextReader{c.ctx, r})
	}
	it.Size = m.size
	it.Open = func() (io.ReadCloser, error) {
		f, err := m.reopen()
		if err != nil {
			return nil, err
		}
		// What is appended while it is read belongs to the next look.
		return section{io.NewSectionReader(f, 0, m.size), f}, nil
	}
	return nil
}

// contextReader ends reading when the context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// nameOf returns the command line that a file of a sosreport is named after,
// or the base name.
func nameOf(base, inside string) string {
	if i := strings.Index("/"+inside, "/sos_commands/"); i >= 0 && strings.Count(("/" + inside)[i:], "/") >= 3 {
		return strings.ReplaceAll(base, "_", " ")
	}
	return base
}

// refine makes of one item the items that its content holds: console output is
// taken out of its JSON, a pasted session is cut into its sections.
func (c *collector) refine(it Item) []Item {
	if it.Data == nil || it.Reader != "" {
		return []Item{it}
	}
	if plain, ok := bytes.CutPrefix(it.Data, []byte("\xef\xbb\xbf")); ok { // the mark of UTF-8, which few readers expect
		it.Data, it.Size = plain, int64(len(plain))
	}
	if console, ok := consoleOutput(it); ok {
		return []Item{console}
	}
	if bytes.HasPrefix(it.Data, []byte(`{"header":{`)) {
		if t, err := readRecordStream(it.Data); err == nil {
			c.bundles = append(c.bundles, t)
			return nil
		}
	}
	return sections(it)
}

// consoleOutput takes the console's log out of the answer of get-console-output,
// decoded where it still is base64, as the API gives it.
func consoleOutput(it Item) (Item, bool) {
	if len(it.Data) > MaxItem || !bytes.HasPrefix(bytes.TrimLeft(it.Data, " \r\n\t"), []byte("{")) || !bytes.Contains(it.Data, []byte(`"Output"`)) {
		return it, false
	}
	docs, _ := it.readJSON() // what stands before any damage is still a console log
	if len(docs) == 0 || docs[0].get("Output") == nil || docs[0].text("InstanceId") == "" {
		return it, false
	}
	output := docs[0].text("Output")
	text := []byte(output)
	// A log holds blanks and brackets, which base64 does not.
	if raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(output)); err == nil {
		text = raw
	}
	it.Data, it.Size, it.Reader = text, int64(len(text)), "kernel-log"
	if t, err := time.Parse(time.RFC3339Nano, docs[0].text("Timestamp")); err == nil {
		it.Time = t
	}
	return it, true
}
