package source

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ddx"
)

// The magic numbers of file systems whose files are the running kernel talking:
// some have no end, some wait until something happens. From linux/magic.h.
const (
	procMagic  = 0x9fa0
	debugMagic = 0x64626720
	traceMagic = 0x74726163
)

// onPseudo reports whether a path lies on such a file system. Settings below
// /proc/sys and attributes of sysfs are small and answer at once.
func onPseudo(p string) bool {
	var st syscall.Statfs_t
	if syscall.Statfs(p, &st) != nil {
		return false // opening it will say why
	}
	switch int64(st.Type) {
	case debugMagic, traceMagic:
		return true
	case procMagic:
		abs, err := filepath.Abs(p)
		return err != nil || abs != "/proc/sys" && !strings.HasPrefix(abs, "/proc/sys/")
	}
	return false
}

const pseudoFolder = "this folder is the running system and no recording of it; 'ddx' without a path looks at this host"

// pseudoDeadline is how long such a file may give nothing.
const pseudoDeadline = 3 * time.Second

// pseudoFile reads one file of the running kernel that the caller named: from a
// child that is abandoned when it gives nothing.
func (c *collector) pseudoFile(m material, p string) {
	o := Output{Absent: ddx.NotReadable}
	h := c.o.Host
	if h == nil {
		h = ThisHost()
	}
	if h.ReadFiles != nil {
		h.ReadFiles(c.ctx, []string{p}, pseudoDeadline, func(_ string, got Output) { o = got })
	} else {
		o = readBounded(p)
	}
	m.size = -1
	if o.Data != nil {
		c.content(m, bytes.NewReader(o.Data), 0)
	}
	if o.Absent != "" {
		c.absent(m, o.Absent, o.Detail)
	}
}

// readBounded reads a file where no child can be had.
func readBounded(p string) Output {
	f, err := os.Open(p)
	if err != nil {
		return Output{Absent: reasonOf(err), Detail: err.Error()}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxItem))
	if err != nil {
		return Output{Data: b, Absent: reasonOf(err), Detail: err.Error()}
	}
	return Output{Data: b}
}
