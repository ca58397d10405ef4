package source

import (
	"bytes"

	"ddx"
	"ddx/logline"
)

var logKinds = []string{"log.match", "log.coverage", "log.unexplained", "kernel.report"}

// logReaders are the forms of text for the pattern matcher. They stand after
// all others: a line with a time can be part of many outputs.
var logReaders = []Reader{
	{
		Name: "kernel-log", Doc: "/dev/kmsg, dmesg in any form, the console, pstore and kdump texts", Kinds: logKinds, Basic: true, Log: true,
		Match: func(name string, head []byte) bool { k, _, _, n := census(head); return n > 0 && 2*k > n },
	},
	{
		Name: "journal", Doc: "journalctl in its short, verbose, export and JSON forms, dmesg -J", Kinds: logKinds, Log: true,
		Match: func(name string, head []byte) bool {
			return logline.IsRecords(head) || bytes.HasPrefix(head, []byte("-- Logs begin at")) || bytes.HasPrefix(head, []byte("-- Journal begins at")) || bytes.HasPrefix(head, []byte("-- Boot ")) || bytes.Contains(firstLine(head), []byte(`"__REALTIME_TIMESTAMP"`))
		},
	},
	{
		Name: "log", Doc: "syslog files and what programs write with a time before each line", Kinds: logKinds, Log: true,
		Match: func(name string, head []byte) bool { k, s, t, n := census(head); return n > 0 && 2*max(k+s, t) >= n },
	},
}

// timeZone is /etc/localtime, in whose zone syslog writes. It gives no fact.
var timeZone = Reader{
	Name: "time-zone", Doc: "/etc/localtime: the zone of times that do not name one",
	Match: func(name string, head []byte) bool { return bytes.HasPrefix(head, []byte("TZif")) },
	Read:  func(*Item, func(ddx.Fact)) error { return nil },
}

func firstLine(b []byte) []byte {
	b = bytes.TrimLeft(b, "\r\n")
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i]
	}
	return b
}

// census counts the first lines by who wrote them and whether they have a time.
func census(head []byte) (kernel, service, timed, lines int) {
	for line := range bytes.Lines(head) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if lines++; lines > 200 {
			break
		}
		l := logline.Parse(line, logline.Hint{})
		switch l.Channel {
		case logline.Kernel:
			kernel++
		case logline.Service:
			service++
		}
		if !l.Time.IsZero() || l.Mono >= 0 || l.Channel != logline.Unknown && l.Program != "" {
			timed++
		}
	}
	return kernel, service, timed, lines
}

// framedLog reports whether content of some size is a log beyond doubt: nearly
// every line has the framing of the kernel's log or of syslog. A dump of all
// tasks in a kernel log is left to its own reader.
func framedLog(head []byte) bool {
	if len(head) < 2048 || sysrqStart.Match(head[:512]) {
		return false
	}
	framed, lines := 0, 0
	for line := range bytes.Lines(head) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if lines++; lines > 100 {
			break
		}
		if l := logline.Parse(line, logline.Hint{}); l.Channel == logline.Kernel || l.Channel == logline.Service && l.Program != "" {
			framed++
		}
	}
	return lines > 10 && framed*20 >= lines*19
}

// channelOf says what a log can hold, by its first lines: a log that only a
// program writes says nothing of the kernel by what it lacks.
func channelOf(reader string, head []byte) logline.Channel {
	kernel, service, _, n := census(head)
	switch {
	case reader == "journal":
		return logline.Unknown
	case reader == "kernel-log" && service == 0:
		return logline.Kernel
	case kernel == 0 && n > 0 && service*2 > n && !bytes.Contains(head, []byte("systemd[1]:")):
		return logline.Service
	}
	return logline.Unknown
}

// isText reports whether the content is text: hardly any control bytes.
func isText(head []byte) bool {
	head = head[:min(len(head), 8192)]
	control := 0
	for _, c := range head {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != 0x1b && c != '\f' && c != '\b' {
			control++
		}
	}
	return control*20 <= len(head)
}

var (
	stateTree   = lazy(`(?:^|/)(?:etc|proc|sys|boot|sos_reports|usr/(?:share|lib|lib64|libexec|src))/`)
	metricsType = lazy(`(?m)^# (?:TYPE \S+ (?:counter|gauge|histogram|summary|untyped)|HELP \S+ .+)$`)
)

// noLog reports whether text that no reader knows tells nothing that happened:
// a file of settings, documentation or state by its path, or a page of metrics,
// whose descriptions name every fault that they count.
func noLog(path string, head []byte) bool {
	return stateTree.MatchString(path) || len(metricsType.FindAll(head, 2)) == 2
}

// isJSONDocument reports whether the content is one JSON value over several
// lines or without the marks of a log record, such as an answer of the cloud.
func isJSONDocument(head []byte) bool {
	b := bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf")
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return false
	}
	if b[0] == '[' && logline.Parse(firstLine(b), logline.Hint{}).Channel != logline.Unknown {
		return false
	}
	if b[0] == '[' {
		rest := bytes.TrimLeft(b[1:], " \t\r\n")
		return len(rest) > 0 && (rest[0] == '{' || rest[0] == '"' || rest[0] == ']')
	}
	return logline.Parse(firstLine(b), logline.Hint{}).Channel == logline.Unknown
}
