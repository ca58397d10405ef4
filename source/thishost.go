package source

import (
	"bytes"
	"context"
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

// ThisHost is the machine that the program runs on.
func ThisHost() *Host {
	h := &Host{FS: os.DirFS("/"), Kmsg: openKmsg, Stream: streamCommand}
	h.Run = func(ctx context.Context, argv []string) Output {
		var out bytes.Buffer
		o := streamCommand(ctx, argv, &limitedBuffer{&out, MaxItem})
		if out.Len() > 0 {
			o.Data = out.Bytes()
		}
		return o
	}
	if childReady {
		h.ReadFiles = func(ctx context.Context, paths []string, deadline time.Duration, done func(string, Output)) {
			askChildren(ctx, requestFile, paths, deadline, done)
		}
		h.Statfs = func(ctx context.Context, paths []string, deadline time.Duration, done func(string, Output)) {
			askChildren(ctx, requestStatfs, paths, deadline, done)
		}
	}
	return h
}

// limitedBuffer keeps the first bytes and refuses the rest.
type limitedBuffer struct {
	b    *bytes.Buffer
	room int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, fmt.Errorf("more than %d MiB of output", MaxItem>>20)
	}
	l.room -= len(p)
	return l.b.Write(p)
}

// searchPath is where tools lie; an ordinary user's PATH often lacks sbin.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

var lookPath = func(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	for _, dir := range strings.Split(searchPath, ":") {
		if st, err := os.Stat(dir + "/" + name); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return dir + "/" + name, nil
		}
	}
	return "", fmt.Errorf("%s: not installed", name)
}

// streamCommand runs a command in its own process group and copies its output
// to w until it ends or the deadline of ctx passes; then the group is killed,
// and abandoned when that does not end it. What it wrote is kept.
func streamCommand(ctx context.Context, argv []string, w io.Writer) Output {
	path, err := lookPath(argv[0])
	args := argv[1:]
	if err != nil {
		var ok bool
		if path, args, ok = insteadOf(argv); !ok {
			return Output{Absent: ddx.NotThere, Detail: err.Error()}
		}
	}
	out, toParent, err := os.Pipe()
	if err != nil {
		return Output{Absent: ddx.NotReadable, Detail: fmt.Sprintf("run %s: %v", argv[0], err)}
	}
	defer out.Close()
	complaints, complain, err := os.Pipe()
	if err != nil {
		toParent.Close()
		return Output{Absent: ddx.NotReadable, Detail: fmt.Sprintf("run %s: %v", argv[0], err)}
	}
	defer complaints.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = toParent, complain
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LANG=C", "PATH="+os.Getenv("PATH")+":"+searchPath, "PAGER=cat", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", "COLUMNS=512")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	toParent.Close()
	complain.Close()
	if err != nil {
		return Output{Absent: reasonOf(err), Detail: fmt.Sprintf("run %s: %v", argv[0], err)}
	}
	stop := context.AfterFunc(ctx, func() { // a tool that hangs must not hold its readers
		_ = out.SetReadDeadline(time.Unix(1, 0)) // closed already is as good
		_ = complaints.SetReadDeadline(time.Unix(1, 0))
	})
	defer stop()
	said := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(io.LimitReader(complaints, 64<<10)) // what can be had of it explains a failure
		_, _ = io.Copy(io.Discard, complaints)                 // a tool that complains at length must not wait for us
		said <- b
	}()
	n, copyErr := io.Copy(w, contextReader{ctx, out})
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if copyErr == nil {
		select {
		case err = <-ended:
			return outcome(argv, n, err, <-said)
		case <-ctx.Done():
			copyErr = ctx.Err()
		}
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // gone already is as good
	if errors.Is(copyErr, os.ErrDeadlineExceeded) || ctx.Err() != nil {
		return Output{Absent: ddx.TimedOut, Detail: fmt.Sprintf("%s did not end in time and was killed after %d bytes of output", strings.Join(argv, " "), n)}
	}
	return Output{Absent: ddx.NotReadable, Detail: fmt.Sprintf("%s: %v", strings.Join(argv, " "), copyErr)}
}

// outcome says what a command that ended means. Output counts even when the
// status is not 0: many tools tell part of the truth and complain of the rest.
func outcome(argv []string, n int64, err error, said []byte) Output {
	if n > 0 || err == nil {
		return Output{Data: []byte{}}
	}
	text := strings.TrimSpace(string(said))
	low := strings.ToLower(text)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	o := Output{Absent: ddx.NotReadable, Detail: fmt.Sprintf("%s: %v: %s", argv[0], err, text)}
	switch {
	case has("permission denied", "not permitted", "must be root", "only root", "are you root", "superuser"):
		o.Absent = deniedHere()
	case has("no such file", "no such device", "not found", "does not exist", "no stats available", "not supported"):
		o.Absent = ddx.NotThere
	case has("unrecognized option", "unknown option", "invalid option", "unrecognised option", "illegal option"):
		o.Absent = ddx.TooOld
	}
	return o
}

// kmsg reads /dev/kmsg record by record. It does not wait for new records: the
// descriptor stays outside of the runtime's poller.
type kmsg int

func openKmsg() (io.ReadCloser, error) {
	fd, err := syscall.Open("/dev/kmsg", syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/kmsg", Err: err}
	}
	return kmsg(fd), nil
}

func (k kmsg) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(k), p)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return 0, &os.PathError{Op: "read", Path: "/dev/kmsg", Err: err}
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (k kmsg) Close() error { return syscall.Close(int(k)) }
