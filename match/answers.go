package match

import (
	"strconv"

	"ddx/catalog"
	"ddx/logline"
)

// answers keeps what conditions over captures said: a log names few devices,
// and its numbers come again.
type answers struct {
	kept map[string]bool // by number of the pattern, channel, captures
	key  []byte
}

// maxAnswers is how many are kept; then they are forgotten.
const maxAnswers = 4096

// holds reports whether the condition of a pattern's indicator holds over the
// captures of a line.
func (a *answers) holds(cat *catalog.Catalogue, p *logPattern, captures [][]byte, ch logline.Channel) bool {
	a.key = append(strconv.AppendInt(a.key[:0], int64(p.index), 10), byte(ch))
	for _, c := range captures {
		if c == nil { // took no part: not known, which is not the same as empty
			a.key = append(a.key, '-')
			continue
		}
		a.key = append(strconv.AppendInt(a.key, int64(len(c)), 10), ':')
		a.key = append(a.key, c...)
	}
	if answer, ok := a.kept[string(a.key)]; ok {
		return answer
	}
	answer := p.holds(cat, captures, ch)
	if a.kept == nil || len(a.kept) >= maxAnswers {
		a.kept = map[string]bool{}
	}
	if len(a.key) < 1<<10 {
		a.kept[string(a.key)] = answer
	}
	return answer
}

// holds evaluates the condition of a pattern's indicator.
func (p *logPattern) holds(cat *catalog.Catalogue, captures [][]byte, ch logline.Channel) bool {
	vars := map[string]any{"channel": ch.String()}
	for i, c := range captures {
		if c == nil {
			continue
		}
		name, v := p.pattern.Names[i], string(c)
		vars[name] = v
		switch p.pattern.Captures[name] {
		case "int":
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				vars[name] = n
			}
		case "double":
			if n, err := strconv.ParseFloat(v, 64); err == nil {
				vars[name] = n
			}
		}
	}
	ok, err := cat.Eval(p.scope, p.ind.When, vars)
	return err == nil && ok == catalog.True
}
