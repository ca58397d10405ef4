package source

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"ddx"
)

// childArg is the hidden first argument that makes this program a child which
// reads what it is told and can be abandoned when it hangs.
const childArg = "__read"

// childReady tells that main called MaybeChild, so that starting this program
// again gives a child and not a second main.
var childReady bool

// MaybeChild turns the process into a reading child when it was started as one;
// it does not return then. The program calls it before anything else.
func MaybeChild() {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		serveChild(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	if len(os.Args) == 4 && os.Args[1] == childEthtool {
		os.Exit(serveEthtool(os.Args[2:], os.Stdout, os.Stderr))
	}
	childReady = true
}

// The child reads requests, each a letter and a path ended by NUL, and answers
// each in frames: a letter, a length of 4 bytes, and that many bytes. Data
// frames of a request go out as soon as they are read; an end frame, with an
// error or empty, closes the request.
const (
	requestFile   = 'R'
	requestStatfs = 'S'
	frameData     = 'D'
	frameEnd      = 'E'
)

func serveChild(in io.Reader, out io.Writer) {
	requests := bufio.NewReader(in)
	buf := make([]byte, 64<<10)
	for {
		request, err := requests.ReadString(0)
		if err != nil || len(request) < 2 {
			return
		}
		path := request[1 : len(request)-1]
		end := ""
		switch request[0] {
		case requestFile:
			end = serveFile(path, buf, out)
		case requestStatfs:
			line, err := json.Marshal(statfs(path))
			if err != nil || frame(out, frameData, append(line, '\n')) != nil {
				return
			}
		}
		if frame(out, frameEnd, []byte(end)) != nil {
			return
		}
	}
}

func serveFile(path string, buf []byte, out io.Writer) (failure string) {
	f, err := os.Open(path)
	if err != nil {
		return failureOf(path, err)
	}
	defer f.Close()
	for total := 0; total < MaxItem; {
		n, err := f.Read(buf)
		total += n
		if n > 0 && frame(out, frameData, buf[:n]) != nil {
			return ""
		}
		if err == io.EOF {
			return ""
		}
		if err != nil {
			return failureOf(path, err)
		}
	}
	return string(ddx.NotReadable) + ":" + fmt.Sprintf("read %s: longer than %d MiB", path, MaxItem>>20)
}

// failureOf is the end frame of a file that could not be read.
func failureOf(path string, err error) string {
	reason := reasonOf(err)
	if st, statErr := os.Stat(path); statErr == nil && unreadable(st) {
		reason = notAFile
	}
	return string(reason) + ":" + err.Error()
}

func frame(w io.Writer, kind byte, b []byte) error {
	head := make([]byte, 5, 5+len(b))
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(b)))
	_, err := w.Write(append(head, b...))
	return err
}

// statfs asks a mount point what it holds. It can block for ever.
func statfs(path string) mountStat {
	s := mountStat{Statfs: path, Result: "ok"}
	start := time.Now()
	var st syscall.Statfs_t
	err := syscall.Statfs(path, &st)
	s.Seconds = time.Since(start).Seconds()
	if err != nil {
		s.Result, s.Error = "error", err.Error()
		return s
	}
	kb := func(blocks uint64) int64 { return int64(blocks * (uint64(st.Bsize) / 512) / 2) }
	s.Size, s.Free, s.Avail = kb(st.Blocks), kb(st.Bfree), kb(st.Bavail)
	s.Inodes, s.IFree = int64(st.Files), int64(st.Ffree)
	return s
}

// maxRestarts is how many children may hang in one round before the rest is
// given up: on such a machine each further one would, too.
const maxRestarts = 24

// askChildren has a child answer requests of one kind in order and tells each
// answer. A child that gives nothing for the deadline is killed and abandoned,
// what it had read is kept, and a new one goes on with the next request.
func askChildren(ctx context.Context, kind byte, paths []string, deadline time.Duration, done func(path string, o Output)) {
	giveUp := func(paths []string, why string) {
		for _, p := range paths {
			done(p, Output{Absent: ddx.TimedOut, Detail: why})
		}
	}
	for hung := 0; len(paths) > 0; {
		if ctx.Err() != nil || hung >= maxRestarts {
			giveUp(paths, "not reached: what was read before it used up the time")
			return
		}
		c, err := startChild(kind, paths)
		if err != nil {
			for _, p := range paths {
				done(p, Output{Absent: ddx.NotReadable, Detail: err.Error()})
			}
			return
		}
		answered := 0
		for answered < len(paths) {
			o, err := c.answer(ctx, deadline)
			done(paths[answered], o)
			answered++
			if err != nil {
				hung++
				break
			}
		}
		c.abandon()
		paths = paths[answered:]
	}
}

// child is a running reading child.
type child struct {
	cmd *exec.Cmd
	in  *os.File
	out *os.File
	r   *bufio.Reader
}

func startChild(kind byte, paths []string) (*child, error) {
	if !childReady {
		return nil, errors.New("read in a child: this program cannot start itself; main must call source.MaybeChild first")
	}
	fromParent, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("read in a child: %w", err)
	}
	out, toParent, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read in a child: %w", err), fromParent.Close(), in.Close())
	}
	cmd := exec.Command("/proc/self/exe", childArg)
	cmd.Stdin, cmd.Stdout = fromParent, toParent
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	fromParent.Close()
	toParent.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("read in a child: start: %w", err)
	}
	c := &child{cmd: cmd, in: in, out: out, r: bufio.NewReaderSize(out, 64<<10)}
	go func() { // a child that hangs does not read its requests
		var b strings.Builder
		for _, p := range paths {
			b.WriteByte(kind)
			b.WriteString(p)
			b.WriteByte(0)
		}
		_, _ = io.WriteString(in, b.String()) // fails when the child is gone: its answers tell
		in.Close()
	}()
	return c, nil
}

// answer reads the frames of one request. The error tells that the child is
// of no more use.
func (c *child) answer(ctx context.Context, deadline time.Duration) (Output, error) {
	o := Output{Data: []byte{}}
	for {
		limit := time.Now().Add(deadline)
		if d, ok := ctx.Deadline(); ok && d.Before(limit) {
			limit = d
		}
		if err := c.out.SetReadDeadline(limit); err != nil {
			return Output{Absent: ddx.NotReadable, Detail: err.Error()}, err
		}
		var head [5]byte
		_, err := io.ReadFull(c.r, head[:])
		var body []byte
		if err == nil {
			body = make([]byte, min(binary.BigEndian.Uint32(head[1:]), 1<<20))
			_, err = io.ReadFull(c.r, body)
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				o.Absent, o.Detail = ddx.TimedOut, fmt.Sprintf("gave nothing for %v after %d bytes", deadline, len(o.Data))
			} else {
				o.Absent, o.Detail = ddx.NotReadable, "the reading child ended: "+err.Error()
			}
			if len(o.Data) == 0 {
				o.Data = nil
			}
			return o, err
		}
		if head[0] == frameData {
			o.Data = append(o.Data, body...)
			continue
		}
		if reason, detail, failed := strings.Cut(string(body), ":"); failed {
			o.Absent, o.Detail = ddx.Absence(reason), detail
			if len(o.Data) == 0 {
				o.Data = nil
			}
		}
		return o, nil
	}
}

// abandon kills the child and does not wait for it: one that the kernel holds
// cannot die before the kernel lets it go.
func (c *child) abandon() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // gone already is as good
	c.in.Close()
	c.out.Close()
	go func() { _ = c.cmd.Wait() }() // reaps it if it ever ends; its status says nothing
}
