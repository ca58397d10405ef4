package source

import (
	"strings"
	"time"

	"ddx"
)

// healthEvent states an event of aws health describe-events.
func (r *awsReader) healthEvent(n *jsonNode) {
	scope := any(nil)
	switch n.text("eventScopeCode") {
	case "PUBLIC":
		scope = "public"
	case "ACCOUNT_SPECIFIC":
		scope = "account"
	}
	completed := any(nil)
	if s := n.text("statusCode"); s != "" {
		completed = s == "closed"
	}
	r.fact("cloud.event", "", []*jsonNode{n.get("eventTypeCode"), n.get("statusCode"), n.get("startTime")},
		"code", n.str("eventTypeCode"), "not_before", n.str("startTime"), "completed", completed, "scope", scope, "service", n.str("service"),
		"zone", n.str("availabilityZone"), "region", n.str("region"), "description", n.str("eventDescription", "latestDescription"))
}

// maintenance states a scheduled event as the metadata service lists it: about
// the instance that asked.
func (r *awsReader) maintenance(n *jsonNode) {
	if t, err := time.Parse("2 Jan 2006 15:04:05 MST", n.text("NotBefore")); err == nil {
		n.fields["NotBefore"].value = t.UTC().Format(time.RFC3339)
	}
	r.event("", n, nil)
}

// azureEvent states a scheduled event as the metadata service of Azure lists it.
// What the owner of the machine asked for is no event of the provider.
func (r *awsReader) azureEvent(n *jsonNode) {
	if n.text("EventSource") == "User" || n.text("EventType") == "Terminate" {
		return
	}
	code := n.str("EventType")
	if code == "Preempt" {
		code = "spot-interruption"
	}
	r.fact("cloud.event", "", []*jsonNode{n.get("EventType"), n.get("EventStatus"), n.get("NotBefore")},
		"code", code, "not_before", n.str("NotBefore"), "completed", n.text("EventStatus") == "Completed", "scope", "instance", "service", "Azure", "description", n.str("Description"))
}

func (r *awsReader) spotAction(n *jsonNode) {
	switch n.text("action") {
	case "terminate", "stop", "hibernate":
		r.fact("cloud.event", "", []*jsonNode{n.get("action"), n.get("time")},
			"code", "spot-interruption", "description", n.str("action"), "not_before", n.str("time"), "completed", false, "scope", "instance", "service", "EC2")
	}
}

func (r *awsReader) rebalance(n *jsonNode) {
	r.fact("cloud.event", "", []*jsonNode{n.get("noticeTime")}, "code", "rebalance", "not_before", n.str("noticeTime"), "scope", "instance", "service", "EC2")
}

func (r *awsReader) eventBridge(n *jsonNode) {
	code := map[string]string{
		"EC2 Spot Instance Interruption Warning": "spot-interruption", "EC2 Instance Rebalance Recommendation": "rebalance",
	}[n.text("detail-type")]
	if code == "" {
		if d := n.get("detail"); d.text("eventTypeCode") != "" {
			r.healthEvent(d)
		}
		return
	}
	r.fact("cloud.event", n.text("detail", "instance-id"), []*jsonNode{n.get("detail-type"), n.get("detail", "instance-id"), n.get("time")},
		"code", code, "description", n.str("detail", "instance-action"), "not_before", n.str("time"), "completed", false, "scope", "instance", "service", "EC2", "region", n.str("region"))
}

var resourceID = lazy(`\b(?:i|vol|fs|nat|eni|tgw)-[0-9a-f]{8,17}\b`)

// metricSubject finds the resource a metric is about: in its label, else in
// the command that asked.
func (r *awsReader) metricSubject(label string) (id, name string) {
	if id = resourceID.FindString(label); id != "" {
		name = strings.Join(strings.Fields(strings.Replace(label, id, "", 1)), " ")
	}
	if name == "" {
		name = label
	}
	if id == "" {
		id = resourceID.FindString(r.it.Name)
	}
	return id, name
}

// series gives the newest value, the least and the greatest.
func series(times []string, values []*jsonNode) (last *jsonNode, low, high any) {
	newest := ""
	var least, most float64
	for i, v := range values {
		x, ok := v.real().(float64)
		if !ok {
			continue
		}
		if low == nil || x < least {
			least, low = x, x
		}
		if high == nil || x > most {
			most, high = x, x
		}
		t := ""
		if i < len(times) {
			t = times[i]
		}
		if last == nil || t > newest {
			last, newest = v, t
		}
	}
	return last, low, high
}

func (r *awsReader) datapoints(n *jsonNode) {
	var times []string
	var values []*jsonNode
	for _, p := range n.list("Datapoints") {
		for _, statistic := range []string{"Average", "Maximum", "Sum", "Minimum", "SampleCount"} {
			if v := p.get(statistic); v != nil {
				times, values = append(times, p.text("Timestamp")), append(values, v)
				break
			}
		}
	}
	r.metric(n, times, values)
}

func (r *awsReader) metricData(n *jsonNode) {
	var times []string
	for _, t := range n.list("Timestamps") {
		times = append(times, t.text())
	}
	r.metric(n, times, n.list("Values"))
}

// metric states a series; an empty one states nothing.
func (r *awsReader) metric(n *jsonNode, times []string, values []*jsonNode) {
	last, low, high := series(times, values)
	if last == nil {
		return
	}
	id, name := r.metricSubject(n.text("Label"))
	r.fact("cloud.metric", id, []*jsonNode{n.get("Label"), last}, "name", name, "value", last.real(), "min", low, "max", high)
}

// cloudErrors reads the errors that the aws CLI and SDKs print. In a log such
// lines are log lines first.
var cloudErrors = Reader{
	Name: "aws-error", Doc: "errors of the aws CLI and SDKs: code, operation and message",
	Kinds: []string{"cloud.error"},
	Match: func(name string, head []byte) bool { return len(head) < 8192 && cloudErrorLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		facts, order := map[string]*ddx.Fact{}, []string(nil)
		it.lines(func(n int, line string) {
			code, operation, message := "", "", ""
			if m := cloudErrorLine.FindStringSubmatch(line); m == nil {
				return
			} else if code, operation, message = m[1], m[2], strings.TrimSpace(m[3]); code == "" {
				code, operation, message = "EndpointConnectionError", "", strings.TrimSpace(m[0])
			}
			key := code + " " + operation
			if f := facts[key]; f != nil {
				f.Fields["count"] = f.Fields["count"].(int64) + 1
				return
			}
			f := it.fact("cloud.error", instanceSubject(""), n, it.lineText(n), "code", code, "operation", asText(operation), "message", asText(message), "count", int64(1))
			facts[key], order = &f, append(order, key)
		})
		for _, key := range order {
			emit(*facts[key])
		}
		return nil
	},
}

var cloudErrorLine = lazy(`(?m)^\s*(?:[\w.]+(?:Error|Exception)(?:: \w+)?: )?(?:aws: \[ERROR\]: )?(?:An error occurred \(([\w.]+)\) when calling the (\w+) operation(?: \([^)]*\))?: ?(.*)|Could not connect to the endpoint URL: .*|Connect timeout on endpoint URL: .*)$`)
