package match

import (
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

// MaxTemplates is how many templates of a log are kept apart; lines beyond them
// are counted together.
const MaxTemplates = 200

func (t *matching) fold(raw scan.Line, l logline.Line) {
	key := t.key[:0]
	if l.Program != "" && l.Program != "kernel" {
		key = append(append(key, l.Program...), ": "...)
	}
	key = appendFolded(key, l.Message)
	t.key = key
	tpl := t.templates[string(key)]
	switch {
	case tpl != nil:
		tpl.count++
		return
	case len(t.folded) >= MaxTemplates:
		if t.other == nil {
			t.other = &template{text: "<other messages>", priority: -1, channel: "any", evidence: ddx.Evidence{Kind: "log", Origin: t.origin(raw.Number), Text: "<other messages>"}}
		}
		t.other.count++
		return
	}
	tpl = &template{text: string(key), count: 1, priority: l.Priority, channel: l.Channel.String(),
		evidence: t.evidence(raw.Number, l, raw.Text)}
	t.templates[tpl.text] = tpl
	t.folded = append(t.folded, tpl)
}

// maxFold is how much of a message makes its template, in bytes.
const maxFold = 240

// appendFolded appends the message with every run of letters and digits that
// holds a digit, and what addresses and paths are made of around it, replaced by
// <*>.
func appendFolded(b, msg []byte) []byte {
	if len(msg) > maxFold {
		msg = msg[:maxFold]
	}
	for i := 0; i < len(msg); {
		if foldable[msg[i]] == 0 {
			b = append(b, msg[i])
			i++
			continue
		}
		j, seen := i, uint8(0)
		for ; j < len(msg) && foldable[msg[j]] != 0; j++ {
			seen |= foldable[msg[j]]
		}
		if seen&digit != 0 {
			b = append(b, "<*>"...)
		} else {
			b = append(b, msg[i:j]...)
		}
		i = j
	}
	return b
}

const digit = 2

// foldable has the bytes of which runs are made: digit for digits, else 1.
var foldable = func() (is [256]uint8) {
	for c := range is {
		switch {
		case '0' <= c && c <= '9':
			is[c] = digit
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_', c == '-', c == '.', c == '/', c >= 0x80:
			is[c] = 1
		}
	}
	return is
}()

var priorities = []string{"emerg", "alert", "crit", "err", "warning"}

func (tpl *template) fact(subject ddx.Subject) ddx.Fact {
	prio := "word"
	if tpl.priority >= 0 && tpl.priority < len(priorities) {
		prio = priorities[tpl.priority]
	}
	return ddx.Fact{Kind: "log.unexplained", Subject: subject, Time: tpl.evidence.Time, Evidence: []ddx.Evidence{tpl.evidence},
		Fields: map[string]any{"template": tpl.text, "count": tpl.count, "priority": prio, "channel": tpl.channel}}
}
