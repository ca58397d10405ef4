package blackhole

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"time"
)

var page = template.Must(template.New("join").Funcs(template.FuncMap{
	"time": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
	"long": func(w Window) string { return w.End.Sub(w.Start).Round(time.Second).String() },
}).Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Delivered and received</title>
<style>
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,"DejaVu Sans",sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}
svg{max-width:100%;height:auto}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent);padding:.3rem .6rem;text-align:left;vertical-align:top}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}
td.t{white-space:nowrap;font-variant-numeric:tabular-nums}
tr.why td{padding:.2rem .6rem .8rem 1.8rem;overflow-wrap:anywhere}
tr.with td{border-bottom:none}
p{margin:.3rem 0}
.wide{overflow-x:auto}
.bad{color:#cf222e;font-weight:bold}
ul{margin:0;padding-left:1.1rem}
</style></head><body>
<h1>Delivered and received</h1>
<p>{{.Verdict}} The clock of the guest was taken as {{printf "%+.1f" .J.ClockOffsetSeconds}} s off the network's ({{.J.ClockOffsetFrom}}).</p>
{{.SVG}}
{{range .J.Interfaces}}
<h2>{{.Interface}} = {{.Guest}}</h2>
<div class="wide"><table><thead><tr><th>from (UTC)</th><th>for</th><th>kind</th><th class="n">network</th><th class="n">guest</th><th>certainty</th><th>black hole</th></tr></thead><tbody>
{{range .Windows}}{{$why := or .Explanations .Support}}<tr{{if $why}} class="with"{{end}}><td class="t">{{time .Start}}</td><td class="t">{{long .}}</td><td>{{if eq .Kind "delivered-not-received"}}<span class="bad">{{.Kind}}</span>{{else}}{{.Kind}}{{if eq .Answered "no"}}, not answered{{end}}{{end}}</td>
<td class="n">{{.NetworkPackets}}</td><td class="n">{{.GuestPackets}}</td><td>{{.Certainty}}</td><td>{{.BlackHole}}</td></tr>
{{if $why}}<tr class="why"><td colspan="7"><p>The guest ran on: <b>{{.GuestRan}}</b>, {{.GuestRanBecause}}.</p>
{{if .Explanations}}<p>What else would explain it:</p><ul>{{range .Explanations}}<li>{{.What}}: <b>{{.Verdict}}</b>, {{.Because}}</li>{{end}}</ul>{{end}}
{{if .Support}}<p>What fits:</p><ul>{{range .Support}}<li>{{.}}</li>{{end}}</ul>{{end}}</td></tr>
{{end}}{{else}}<tr><td colspan="7">The two sides have no time in common.</td></tr>{{end}}</tbody></table></div>
{{if .Gaps}}<div class="wide"><table><thead><tr><th>guest silent from (UTC)</th><th>until</th><th class="n">network</th><th>meaning</th></tr></thead><tbody>
{{range .Gaps}}<tr><td>{{time .Start}}</td><td>{{time .End}}</td><td class="n">{{.NetworkPackets}}</td><td>{{.Meaning}}</td></tr>{{end}}</tbody></table></div>{{end}}
{{end}}
{{if .J.Unpaired}}<h2>Not paired</h2><ul>{{range .J.Unpaired}}<li>{{.Interface}}: {{.Why}}</li>{{end}}</ul>{{end}}
</body></html>
`))

// WriteHTML writes a page that needs nothing else: picture, windows and what
// speaks for and against each.
func (j *Joined) WriteHTML(w io.Writer) error {
	var svg bytes.Buffer
	if err := j.WriteSVG(&svg); err != nil {
		return err
	}
	return page.Execute(w, struct {
		J       *Joined
		SVG     template.HTML
		Verdict string
	}{j, template.HTML(svg.String()), j.Verdict()}) // every text in the SVG is escaped
}

// Verdict is one sentence.
func (j *Joined) Verdict() string {
	windows := 0
	for _, i := range j.Interfaces {
		windows += len(i.Windows)
	}
	switch n := j.BlackHoles(); {
	case len(j.Interfaces) == 0:
		return "No interface of the flow logs could be paired with one of the guest."
	case windows == 0:
		return "The two sides have no time in common."
	case n == 1:
		return "In one window the network delivered and the guest received nothing."
	case n > 1:
		return fmt.Sprintf("In %d windows the network delivered and the guest received nothing.", n)
	}
	return "In no window did the network deliver what a running guest did not receive."
}
