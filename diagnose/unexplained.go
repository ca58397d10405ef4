package diagnose

import (
	"strings"

	"ddx"
	"ddx/logline"
	"ddx/scan"
)

// template is a message with its variable parts taken out, and how often it
// came.
type template struct {
	text     string
	count    int64
	priority int
	channel  string
	evidence ddx.Evidence
}

// maxTemplates is how many templates of a log are kept apart; lines beyond them
// are counted together.
const maxTemplates = 200

func (t *matching) fold(raw scan.Line, l logline.Line) {
	key := fold(l.Message)
	if l.Program != "" && l.Program != "kernel" {
		key = l.Program + ": " + key
	}
	tpl := t.templates[key]
	switch {
	case tpl != nil:
		tpl.count++
		return
	case len(t.folded) >= maxTemplates:
		if t.other == nil {
			t.other = &template{text: "<other messages>", priority: -1, channel: "any", evidence: ddx.Evidence{Kind: "log", Origin: t.origin(raw), Text: "<other messages>"}}
		}
		t.other.count++
		return
	}
	tpl = &template{text: key, count: 1, priority: l.Priority, channel: l.Channel.String(),
		evidence: ddx.Evidence{Kind: "log", Origin: t.origin(raw), Host: l.Host, Time: l.Time, Mono: max(l.Mono, 0), Text: string(raw.Text)}}
	t.templates[key] = tpl
	t.folded = append(t.folded, tpl)
}

// maxFold is how much of a message makes its template, in bytes.
const maxFold = 240

// fold replaces every run of letters and digits that holds a digit, and what
// addresses and paths are made of around it, by <*>.
func fold(msg []byte) string {
	if len(msg) > maxFold {
		msg = msg[:maxFold]
	}
	var b strings.Builder
	for i := 0; i < len(msg); {
		if !foldable(msg[i]) {
			b.WriteByte(msg[i])
			i++
			continue
		}
		j, digit := i, false
		for j < len(msg) && foldable(msg[j]) {
			digit = digit || msg[j] >= '0' && msg[j] <= '9'
			j++
		}
		if digit {
			b.WriteString("<*>")
		} else {
			b.Write(msg[i:j])
		}
		i = j
	}
	return b.String()
}

func foldable(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-' || c == '.' || c == '/' || c >= 0x80
}

var priorities = []string{"emerg", "alert", "crit", "err", "warning"}

func (tpl *template) fact(subject ddx.Subject) ddx.Fact {
	prio := "word"
	if tpl.priority >= 0 && tpl.priority < len(priorities) {
		prio = priorities[tpl.priority]
	}
	return ddx.Fact{Kind: "log.unexplained", Subject: subject, Time: tpl.evidence.Time, Evidence: []ddx.Evidence{tpl.evidence},
		Fields: map[string]any{"template": tpl.text, "count": tpl.count, "priority": prio, "channel": tpl.channel}}
}
