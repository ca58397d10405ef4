package source

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"

	"ddx"
	"ddx/logline"
)

// Redact returns a take in which identities are replaced and secrets taken out,
// in all material and in the origins. The same identity gets the same
// replacement everywhere, for one key; networks keep their structure: two
// addresses of one network stay in one network, private ones stay private. So
// what is found is the same, up to the names. Replaced are addresses of IPv4
// and IPv6, hardware addresses, the names of hosts and users, ids and keys of
// AWS, account numbers and mail addresses; passwords, tokens and private keys
// are taken out. Not replaced are loopback, link-local (with the metadata
// service) and multicast addresses and netmasks.
//
// The caller closes the new take and the old one.
func Redact(t Take, key []byte) (Take, error) {
	r := &redactor{key: key, seen: map[string]string{}, hosts: map[string]string{}, users: map[string]string{}}
	if err := r.learn(&t); err != nil {
		return Take{}, err
	}
	r.compile()
	out := Take{Header: t.Header, location: t.location, spool: &spool{}}
	out.Header.Redacted = true
	out.Header.Host = r.text(t.Header.Host)
	for i := range t.Items {
		it := t.Items[i]
		it.Origin, it.Name, it.Host, it.Detail = r.text(it.Origin), r.text(it.Name), r.text(it.Host), r.text(it.Detail)
		if it.Data != nil || it.Open != nil {
			src, err := t.Items[i].open()
			if err == nil {
				it.Open = nil
				err = out.spool.store(&it, &redacting{r: r, in: bufio.NewReaderSize(src, 256<<10)})
				src.Close()
			}
			if err != nil {
				out.Close()
				return Take{}, fmt.Errorf("redact %s: %w", t.Items[i].Origin, err)
			}
		}
		out.Items = append(out.Items, it)
	}
	for _, f := range t.Facts {
		out.Facts = append(out.Facts, r.fact(f))
	}
	return out, nil
}

// learn finds the names of hosts and users, which can be replaced only when
// they are known: they look like any word.
func (r *redactor) learn(t *Take) error {
	r.host(t.Header.Host)
	for i := range t.Items {
		it := &t.Items[i]
		r.host(it.Host)
		if it.Absent != "" && it.Data == nil && it.Open == nil {
			continue
		}
		if strings.HasSuffix(it.Origin, "/hostname") {
			r.host(strings.TrimSpace(string(it.head(256))))
		}
		src, err := it.open()
		if err != nil {
			return fmt.Errorf("redact %s: %w", it.Origin, err)
		}
		in := bufio.NewReaderSize(src, 256<<10)
		for {
			line, err := in.ReadSlice('\n')
			if len(line) > 0 {
				r.learnLine(line)
			}
			if err != nil && err != bufio.ErrBufferFull {
				break // the copy reads it again and tells
			}
		}
		src.Close()
	}
	return nil
}

func (r *redactor) learnLine(line []byte) {
	if l := logline.Parse(line, logline.Hint{}); l.Program == "kernel" || l.PID > 0 {
		r.host(l.Host)
	}
	if name, ok := bytes.CutPrefix(line, []byte("_HOSTNAME=")); ok {
		r.host(string(bytes.TrimSpace(name)))
	}
	if bytes.Contains(line, []byte("/home/")) {
		for _, m := range homeOf.FindAllSubmatch(line, -1) {
			r.user(string(m[1]))
		}
	}
	if bytes.Contains(line, []byte("user")) || bytes.Contains(line, []byte("USER=")) || bytes.Contains(line, []byte(" for ")) || bytes.Contains(line, []byte("acct=")) || bytes.Contains(line, []byte("logname=")) {
		for _, m := range userField.FindAllSubmatch(line, -1) {
			r.user(string(m[1]))
		}
	}
	if m := userColumn.FindSubmatch(line); m != nil {
		name := append(m[1], m[2]...)
		if bytes.Count(line, name) == 1 { // a program that runs under its own name identifies nobody
			r.user(string(name))
		}
	}
	if m := prompt.FindSubmatch(line); m != nil {
		r.user(string(m[1]))
		r.host(string(m[2]))
	}
	if bytes.HasPrefix(line, []byte("Linux ")) { // uname -a
		if w := bytes.Fields(line); len(w) > 3 && bytes.Contains(line, []byte("#")) {
			r.host(string(w[1]))
		}
	}
}

// host learns a host name; ip-10-0-0-1 is replaced as the address that it is.
func (r *redactor) host(name string) {
	short, _, _ := strings.Cut(name, ".")
	if len(short) < 2 || dashedIP.MatchString(short) || r.hosts[short] != "" || slices.Contains(commonNames, strings.ToLower(short)) || addressLike.MatchString(name) || !plainName(short) {
		return
	}
	r.hosts[short] = "host-" + r.hash("host", short, 6)
}

func (r *redactor) user(name string) {
	if len(name) < 3 || r.users[name] != "" || slices.Contains(commonNames, strings.ToLower(name)) || !plainName(name) {
		return
	}
	r.users[name] = "user-" + r.hash("user", name, 6)
}

// plainName reports whether a name has letters, so that it is no number or mark.
func plainName(s string) bool {
	letters := false
	for _, c := range s {
		letters = letters || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if c <= ' ' || strings.ContainsRune(`[](){}<>"'=,;:/\`, c) {
			return false
		}
	}
	return letters
}

// fact redacts a fact that came as a record.
func (r *redactor) fact(f ddx.Fact) ddx.Fact {
	f.Subject.Name = r.text(f.Subject.Name)
	fields := make(map[string]any, len(f.Fields))
	for name, v := range f.Fields {
		switch v := v.(type) {
		case string:
			fields[name] = r.text(v)
		case []string:
			list := make([]string, len(v))
			for i := range v {
				list[i] = r.text(v[i])
			}
			fields[name] = list
		default:
			fields[name] = v
		}
	}
	f.Fields = fields
	f.Evidence = slices.Clone(f.Evidence)
	for i := range f.Evidence {
		e := &f.Evidence[i]
		e.Origin, e.Host, e.Text = r.text(e.Origin), r.text(e.Host), r.text(e.Text)
	}
	return f
}

// redacting gives the lines of a stream redacted. The lines of a private key
// are taken out but stay lines, so that the numbers of the others hold.
type redacting struct {
	r    *redactor
	in   *bufio.Reader
	left []byte
	key  bool
}

func (s *redacting) Read(p []byte) (int, error) {
	for len(s.left) == 0 {
		line, more, err := wholeLine(s.in)
		if len(line) == 0 {
			return 0, err
		}
		end := ""
		if trimmed := bytes.TrimSuffix(line, []byte("\n")); len(trimmed) < len(line) {
			line, end = trimmed, "\n"
		}
		if more > 0 {
			end = fmt.Sprintf(" REDACTED %d bytes of a long line\n", more)
		}
		begins := privateBlock.Match(line)
		if s.key || begins {
			s.key = !privateEnd.Match(line)
			line = []byte("REDACTED")
		}
		s.left = append(s.r.line(line), end...)
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// longLine is the most of a line that is redacted; what follows is taken out,
// since a name could stand across any place where a line is cut.
const longLine = 1 << 20

// wholeLine reads a line with its end. Of a longer line it gives the first
// longLine bytes and the number of the others.
func wholeLine(in *bufio.Reader) (line []byte, more int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		keep := min(len(part), longLine-len(line))
		line = append(line, part[:keep]...)
		more += int64(len(part) - keep)
		if err != bufio.ErrBufferFull {
			return line, more, err
		}
	}
}
