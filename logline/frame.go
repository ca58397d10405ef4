package logline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// Framing names a framing in which a message can arrive, and what the framing
// says of who wrote it.
type Framing struct {
	Name    string
	Channel Channel
}

// Framings are the framings that Frame writes. A message of the kernel can
// arrive in the first ones, up to bare; one of a service in the others and bare.
var Framings = []Framing{
	{"kmsg", Kernel},
	{"dmesg", Kernel},
	{"dmesg-caller", Kernel},
	{"dmesg-raw", Kernel},
	{"dmesg-decoded", Kernel},
	{"dmesg-time", Kernel},
	{"dmesg-iso", Kernel},
	{"dmesg-json", Kernel},
	{"journal-short", Kernel},
	{"journal-short-iso", Kernel},
	{"journal-short-precise", Kernel},
	{"journal-short-monotonic", Kernel},
	{"journal-with-unit", Kernel},
	{"journal-export", Kernel},
	{"journal-export-binary", Kernel},
	{"journal-json", Kernel},
	{"journal-json-pretty", Kernel},
	{"journal-json-seq", Kernel},
	{"journal-json-sse", Kernel},
	{"journal-verbose", Kernel},
	{"journal-short-unix", Kernel},
	{"journal-json-bytes", Kernel},
	{"rfc3164", Kernel},
	{"rfc3164-pri", Kernel},
	{"rfc3164-year", Kernel},
	{"rfc3164-mono", Kernel},
	{"rsyslog-iso", Kernel},
	{"rfc5424", Kernel},
	{"rfc5424-counted", Kernel},
	{"console", Kernel},
	{"console-prefix", Kernel},
	{"tag", Kernel},
	{"bare", Unknown},
	{"service-short", Service},
	{"service-short-iso", Service},
	{"service-short-monotonic", Service},
	{"service-export", Service},
	{"service-json", Service},
	{"service-rfc3164-pri", Service},
	{"service-rfc5424", Service},
	{"service-kmsg", Service},
	{"klog", Service},
	{"klog-syslog", Service},
	{"zap", Service},
	{"docker-json", Service},
	{"logfmt", Service},
	{"cri", Service},
	{"plain", Service},
}

// Frame writes a message of one line in a framing of Framings, with a line end,
// as a log of the host ip-10-0-0-1 at t, mono seconds after its boot. The
// export and JSON forms of the journal are to be read through a Reader. It
// panics when it does not know the name.
func Frame(name, msg string, t time.Time, mono float64) []byte {
	t = t.UTC()
	bracket := string(appendMono(nil, mono))
	const host = "ip-10-0-0-1"
	stamp := t.Format(time.Stamp)
	f := func(format string, args ...any) []byte { return fmt.Appendf(nil, format+"\n", args...) }
	switch name {
	case "kmsg":
		return f("4,1234,%d,-;%s", int64(mono*1e6+0.5), escapeKmsg(msg))
	case "dmesg":
		return f("%s%s", bracket, msg)
	case "dmesg-caller":
		return f("%s[  T312] %s", bracket[:len(bracket)-1], msg)
	case "dmesg-raw":
		return f("<4>%s%s", bracket, msg)
	case "dmesg-decoded":
		return f("kern  :warn  : %s%s", bracket, msg)
	case "dmesg-time":
		return f("[%s] %s", t.Format(time.ANSIC), msg)
	case "dmesg-iso":
		return f("%s %s", t.Format("2006-01-02T15:04:05,000000+00:00"), msg)
	case "dmesg-json":
		return f("{\n   \"dmesg\": [\n      {\n         \"pri\": 4,\n         \"time\": %.6f,\n         \"msg\": %s      }\n   ]\n}", mono, marshal(msg))
	case "journal-short":
		return f("%s %s kernel: %s", stamp, host, msg)
	case "journal-short-iso":
		return f("%s %s kernel: %s", t.Format("2006-01-02T15:04:05-0700"), host, msg)
	case "journal-short-precise":
		return f("%s %s kernel: %s", t.Format(time.StampMicro), host, msg)
	case "journal-short-monotonic":
		return f("%s%s kernel: %s", bracket, host, msg)
	case "journal-with-unit":
		return f("%s UTC %s kernel: %s", t.Format("Mon 2006-01-02 15:04:05"), host, msg)
	case "journal-export":
		return exportFrame(t, mono, "kernel", "kernel", "", msg, false)
	case "journal-export-binary":
		return exportFrame(t, mono, "kernel", "kernel", "", msg, true)
	case "journal-json":
		return jsonFrame(t, mono, "kernel", "kernel", "", msg)
	case "journal-json-pretty":
		var b bytes.Buffer
		if err := json.Indent(&b, jsonFrame(t, mono, "kernel", "kernel", "", msg), "", "\t"); err != nil {
			panic("logline: " + err.Error())
		}
		return b.Bytes()
	case "journal-json-seq":
		return append([]byte{0x1e}, jsonFrame(t, mono, "kernel", "kernel", "", msg)...)
	case "journal-json-sse":
		return append(append([]byte("data: "), jsonFrame(t, mono, "kernel", "kernel", "", msg)...), '\n')
	case "journal-verbose":
		return f("%s UTC [s=7fa3;i=4e;b=0123;m=1;t=2;x=3]\n    PRIORITY=4\n    _TRANSPORT=kernel\n    SYSLOG_IDENTIFIER=kernel\n    _HOSTNAME=%s\n    MESSAGE=%s", t.Format("Mon 2006-01-02 15:04:05.000000"), host, msg)
	case "journal-short-unix":
		return f("%d.%06d %s kernel: %s", t.Unix(), t.Nanosecond()/1000, host, msg)
	case "journal-json-bytes":
		numbers := make([]int, len(msg))
		for i := range len(msg) {
			numbers[i] = int(msg[i])
		}
		return jsonFrame(t, mono, "kernel", "kernel", "", numbers)
	case "rfc3164":
		return f("%s %s kernel: %s", stamp, host, msg)
	case "rfc3164-pri":
		return f("<4>%s %s kernel: %s", stamp, host, msg)
	case "rfc3164-year":
		return f("%s %s kernel: %s", t.Format("Jan _2 2006 15:04:05"), host, msg)
	case "rfc3164-mono":
		return f("%s %s kernel: %s%s", stamp, host, bracket, msg)
	case "rsyslog-iso":
		return f("%s %s kernel: %s%s", t.Format("2006-01-02T15:04:05.000000-07:00"), host, bracket, msg)
	case "rfc5424":
		return f("<4>1 %s %s kernel - - - %s", t.Format("2006-01-02T15:04:05.000000Z07:00"), host, msg)
	case "rfc5424-counted":
		line := Frame("rfc5424", msg, t, mono)
		return fmt.Appendf(nil, "%d %s", len(line), line)
	case "console":
		return f("\r\x1b[0m%s\x1b[1m%s\x1b[0m\r", bracket, msg)
	case "console-prefix":
		return f("[guest0/uart0] %s%s", bracket, msg)
	case "tag":
		return f("kernel: %s", msg)
	case "bare":
		return f("%s", msg)
	case "service-short":
		return f("%s %s agent[4321]: %s", stamp, host, msg)
	case "service-short-iso":
		return f("%s %s agent[4321]: %s", t.Format("2006-01-02T15:04:05-0700"), host, msg)
	case "service-short-monotonic":
		return f("%s%s agent[4321]: %s", bracket, host, msg)
	case "service-export":
		return exportFrame(t, mono, "stdout", "agent", "4321", msg, false)
	case "service-json":
		return jsonFrame(t, mono, "stdout", "agent", "4321", msg)
	case "service-rfc3164-pri":
		return f("<28>%s %s agent[4321]: %s", stamp, host, msg)
	case "service-rfc5424":
		return f("<28>1 %s %s agent 4321 - [origin x=\"]\"] %s", t.Format("2006-01-02T15:04:05.000000Z07:00"), host, msg)
	case "service-kmsg":
		return f("28,1234,%d,-;agent[4321]: %s", int64(mono*1e6+0.5), escapeKmsg(msg))
	case "klog":
		return f("W%s    4321 agent.go:12] %s", t.Format("0102 15:04:05.000000"), msg)
	case "klog-syslog":
		return f("%s %s agent: W%s    4321 agent.go:12] %s", stamp, host, t.Format("0102 15:04:05.000000"), msg)
	case "zap":
		return marshal(map[string]any{"level": "warn", "ts": t.Format(time.RFC3339Nano), "msg": msg})
	case "docker-json":
		return marshal(map[string]any{"log": msg + "\n", "stream": "stderr", "time": t.Format(time.RFC3339Nano)})
	case "logfmt":
		return f("time=%q level=warning msg=%q", t.Format(time.RFC3339Nano), msg)
	case "cri":
		return f("%s stderr F %s", t.Format(time.RFC3339Nano), msg)
	case "plain":
		return f("%s WARNING %s", t.Format("2006-01-02 15:04:05,000"), msg)
	}
	panic("logline: unknown framing " + name)
}

func exportFrame(t time.Time, mono float64, transport, ident, pid, msg string, inBinary bool) []byte {
	b := fmt.Appendf(nil, "__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=0123456789abcdef0123456789abcdef\n", t.UnixMicro(), int64(mono*1e6+0.5))
	b = fmt.Appendf(b, "_TRANSPORT=%s\nPRIORITY=4\nSYSLOG_IDENTIFIER=%s\n_HOSTNAME=ip-10-0-0-1\n", transport, ident)
	if pid != "" {
		b = fmt.Appendf(b, "_PID=%s\n", pid)
	}
	if inBinary {
		b = append(b, "MESSAGE\n"...)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(msg)))
		b = append(b, msg...)
		return append(b, "\n\n"...)
	}
	return fmt.Appendf(b, "MESSAGE=%s\n\n", msg)
}

func jsonFrame(t time.Time, mono float64, transport, ident, pid string, msg any) []byte {
	m := map[string]any{
		"__REALTIME_TIMESTAMP": fmt.Sprint(t.UnixMicro()), "__MONOTONIC_TIMESTAMP": fmt.Sprint(int64(mono*1e6 + 0.5)),
		"_TRANSPORT": transport, "SYSLOG_IDENTIFIER": ident, "PRIORITY": "4", "_HOSTNAME": "ip-10-0-0-1", "MESSAGE": msg,
	}
	if pid != "" {
		m["_PID"] = pid
	}
	return marshal(m)
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("logline: " + err.Error())
	}
	return append(b, '\n')
}

// escapeKmsg writes a message as the kernel does in /dev/kmsg.
func escapeKmsg(msg string) string {
	var b []byte
	for i := range len(msg) {
		if c := msg[i]; c < ' ' || c >= 127 || c == '\\' {
			b = fmt.Appendf(b, `\x%02x`, c)
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
