package source

import (
	"strings"

	"ddx"
)

// containerJSON reads docker inspect, aws ecs describe-tasks, and kubectl and
// crictl with -o json.
var containerJSON = Reader{
	Name: "container-json", Doc: "docker inspect, aws ecs describe-tasks, kubectl get pod -o json, crictl inspect",
	Kinds: []string{"container"},
	Match: func(name string, head []byte) bool {
		start, _ := jsonStart(head)
		return start >= 0 && containerKeys.Match(head[start:])
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		docs, err := it.readJSON()
		for _, d := range docs {
			it.walkContainers(d, "", emit)
		}
		return err
	},
}

var containerKeys = lazy(`"(?:OOMKilled|taskArn|containerStatuses|RestartCount)"\s*:`)

func (it *Item) walkContainers(n *jsonNode, owner string, emit func(ddx.Fact)) {
	name := strings.TrimPrefix(n.text("Name"), "/")
	switch {
	case n.get("State", "OOMKilled") != nil || n.get("State", "ExitCode") != nil: // docker inspect
		reason := any(nil)
		if n.text("State", "OOMKilled") == "true" {
			reason = "OOMKilled"
		}
		if name == "" {
			name = n.text("Id")
		}
		emit(it.jsonFact("container", unitSubject(name), []*jsonNode{n.get("State", "Status"), n.get("State", "OOMKilled"), n.get("State", "ExitCode"), n.get("RestartCount")},
			"runtime", "docker", "state", n.str("State", "Status"), "reason", reason, "exit", n.num("State", "ExitCode"), "restarts", n.num("RestartCount"), "message", n.str("State", "Error")))
		return
	case n.get("taskArn") != nil && n.get("lastStatus") != nil && n.get("containers") != nil:
		arn := n.text("taskArn")
		task := arn[strings.LastIndexByte(arn, '/')+1:]
		emit(it.jsonFact("container", unitSubject(task), []*jsonNode{n.get("taskArn"), n.get("lastStatus"), n.get("stopCode"), n.get("stoppedReason")},
			"runtime", "ecs", "state", n.str("lastStatus"), "reason", n.str("stopCode"), "message", n.str("stoppedReason")))
		for _, c := range n.list("containers") {
			emit(it.jsonFact("container", unitSubject(task+"/"+c.text("name")), []*jsonNode{c.get("name"), c.get("lastStatus"), c.get("exitCode"), c.get("reason")},
				"runtime", "ecs", "state", c.str("lastStatus"), "exit", c.num("exitCode"), "message", c.str("reason"), "reason", ecsReason(c.text("reason"))))
		}
		return
	case n.get("metadata", "name") != nil && n.get("status", "containerStatuses") != nil:
		pod := n.text("metadata", "name")
		if ns := n.text("metadata", "namespace"); ns != "" {
			pod = ns + "/" + pod
		}
		for _, c := range n.list("status", "containerStatuses") {
			it.podContainer(pod, c, emit)
		}
		return
	}
	for _, k := range n.keys {
		if c := n.fields[k]; c != nil {
			it.walkContainers(c, owner, emit)
		}
	}
	for _, c := range n.items {
		it.walkContainers(c, owner, emit)
	}
}

// ecsReason takes the short form before the colon of "OutOfMemoryError: ...".
func ecsReason(s string) any {
	short, _, ok := strings.Cut(s, ":")
	if !ok || strings.Contains(short, " ") {
		return nil
	}
	if short == "OutOfMemoryError" {
		return "OOMKilled"
	}
	return short
}

// podContainer states a container of a pod. A container that waits is stated
// with why it waits; why it ended last is added where that is all there is.
func (it *Item) podContainer(pod string, c *jsonNode, emit func(ddx.Fact)) {
	for _, phase := range []string{"waiting", "running", "terminated"} {
		s := c.get("state", phase)
		if s == nil {
			continue
		}
		reason, message := s.str("reason"), s.str("message")
		exit := s.num("exitCode")
		last := c.get("lastState", "terminated")
		if exit == nil {
			exit = last.num("exitCode")
		}
		if last.text("reason") == "OOMKilled" {
			reason = "OOMKilled"
		}
		emit(it.jsonFact("container", unitSubject(pod+"/"+c.text("name")), []*jsonNode{c.get("name"), s.get("reason"), last.get("reason"), c.get("restartCount")},
			"runtime", "kubernetes", "state", phase, "reason", reason, "exit", exit, "restarts", c.num("restartCount"), "message", message))
	}
}

// containerTables reads docker ps -a, crictl ps, kubectl get pods and events,
// and kubectl describe pod.
var containerTables = Reader{
	Name: "container-table", Doc: "docker ps -a, crictl ps -a, kubectl get pods, get events, describe pod: state and reasons",
	Kinds:    []string{"container"},
	Commands: [][]string{{"docker", "ps", "-a", "--no-trunc"}, {"crictl", "ps", "-a"}},
	Match: func(name string, head []byte) bool {
		return dockerHeader.Match(head) || podHeader.Match(head) || eventHeader.Match(head) || describePod.Match(head) || podEventRow.Match(head)
	},
	Read: readContainerTable,
}

var (
	dockerHeader = lazy(`(?m)^\s*CONTAINER(?: ID)? +IMAGE +`)
	podHeader    = lazy(`(?m)^(?:NAMESPACE +)?NAME +READY +STATUS +RESTARTS`)
	eventHeader  = lazy(`(?m)^(?:NAMESPACE +)?LAST SEEN +(?:FIRST SEEN +)?.*\bTYPE +REASON`)
	describePod  = lazy(`(?m)^(?:Name|Namespace|Node):\s+\S+[\s\S]*?^(?:Containers|Conditions|Events|Init Containers):`)
	podEventRow  = lazy(`(?m)^ +(?:Warning|Normal) +([A-Z]\w+) +(?:\S+ \(x(\d+) over \S+\)|\S+) +([\w-]+)(?:, \S+)? +(.*\S)[ \t\r]*$`)
	exitedStatus = lazy(`^Exited \((\d+)\)`)
	wideGap      = lazy(` {2,}|\t+`)
	describeKey  = lazy(`^( *)([A-Z][\w ]*):(?: +(.*?))?\s*$`)
	describeName = lazy(`^ {2}([a-z0-9][\w.-]*):\s*$`)
)

func readContainerTable(it *Item, emit func(ddx.Fact)) error {
	if describePod.Match(it.Data) {
		readDescribe(it, emit)
		return nil
	}
	var titles []string
	it.lines(func(n int, line string) {
		t := strings.TrimSpace(line)
		if dockerHeader.MatchString(line) || podHeader.MatchString(line) || eventHeader.MatchString(line) {
			titles = wideGap.Split(t, -1)
			return
		}
		if m := podEventRow.FindStringSubmatch(line); m != nil && titles == nil && strings.HasPrefix(t, "Warning") {
			emit(it.podEvent("", m, n))
			return
		}
		if titles == nil || t == "" {
			return
		}
		cells := wideGap.Split(t, -1)
		v := map[string]string{}
		for i, c := range cells {
			if i < len(titles) {
				v[titles[i]] = c
			}
		}
		// An empty cell (PORTS) moves what follows: names are taken from the end.
		if len(cells) < len(titles) && titles[len(titles)-1] == "NAMES" {
			v["NAMES"] = cells[len(cells)-1]
		}
		switch {
		case v["READY"] != "" && v["STATUS"] != "":
			name := v["NAME"]
			if v["NAMESPACE"] != "" {
				name = v["NAMESPACE"] + "/" + name
			}
			restarts, _, _ := strings.Cut(v["RESTARTS"], " ")
			emit(it.fact("container", unitSubject(name), n, it.lineText(n), "runtime", "kubernetes", "state", v["STATUS"], "reason", podReason(v["STATUS"]), "restarts", asInt(restarts)))
		case v["REASON"] != "" && v["TYPE"] == "Warning":
			name := v["OBJECT"]
			if name == "" {
				name = v["KIND"] + "/" + v["NAME"]
			}
			emit(it.fact("container", unitSubject(name), n, it.lineText(n), "runtime", "kubernetes", "state", "event", "reason", v["REASON"], "message", asText(v["MESSAGE"])))
		case v["CONTAINER ID"] != "" && v["STATUS"] != "" && len(cells) >= 5:
			f := it.fact("container", unitSubject(v["NAMES"]), n, it.lineText(n), "runtime", "docker", "state", dockerState(v["STATUS"]), "message", v["STATUS"])
			if m := exitedStatus.FindStringSubmatch(v["STATUS"]); m != nil {
				f.Fields["exit"] = asInt(m[1])
			}
			emit(f)
		case (v["CONTAINER"] != "" || v["CONTAINER ID"] != "") && v["STATE"] != "":
			emit(it.fact("container", unitSubject(v["NAME"]), n, it.lineText(n), "runtime", "containerd", "state", strings.TrimPrefix(v["STATE"], "CONTAINER_"), "restarts", asInt(v["ATTEMPT"])))
		}
	})
	return nil
}

// dockerState gives the state as docker inspect writes it.
func dockerState(status string) string {
	word, _, _ := strings.Cut(strings.ToLower(status), " ")
	switch {
	case strings.Contains(status, "(Paused)"):
		return "paused"
	case word == "up":
		return "running"
	}
	return word
}

// podReason leaves out a status that is no trouble.
func podReason(status string) any {
	if status == "Running" || status == "Completed" {
		return nil
	}
	return strings.TrimPrefix(status, "Init:")
}

// podEvent states an event of a pod as kubectl describe lists it.
func (it *Item) podEvent(object string, m []string, n int) ddx.Fact {
	return it.fact("container", unitSubject(object), n, it.lineText(n), "runtime", "kubernetes", "state", "event", "reason", m[1], "message", m[4])
}

// readDescribe reads kubectl describe pod and node.
func readDescribe(it *Item, emit func(ddx.Fact)) {
	object, namespace, section, container := "", "", "", ""
	state, last := "", ""
	var f *ddx.Fact
	flush := func() {
		if f != nil {
			emit(*f)
		}
		f = nil
	}
	full := func() string {
		if namespace != "" {
			return namespace + "/" + object
		}
		return object
	}
	it.lines(func(n int, line string) {
		if m := podEventRow.FindStringSubmatch(line); m != nil && section == "Events" {
			if strings.HasPrefix(strings.TrimSpace(line), "Warning") {
				emit(it.podEvent(full(), m, n))
			}
			return
		}
		if m := describeName.FindStringSubmatch(line); m != nil && strings.HasSuffix(section, "ontainers") {
			flush()
			container, last = m[1], ""
			return
		}
		m := describeKey.FindStringSubmatch(line)
		if m == nil {
			return
		}
		key, value := m[2], m[3]
		if m[1] == "" {
			flush()
			section, container = key, ""
			switch key {
			case "Name":
				object = value
			case "Namespace":
				namespace = value
			}
			return
		}
		if container == "" {
			return
		}
		switch key {
		case "State", "Last State":
			last = key
			if key == "State" {
				flush()
				state = strings.ToLower(value)
				u := it.fact("container", unitSubject(full()+"/"+container), n, it.lineText(n), "runtime", "kubernetes", "state", state)
				f = &u
			}
		case "Reason":
			if f != nil && (last == "State" || value == "OOMKilled") {
				f.Fields["reason"] = value
				f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
			}
		case "Exit Code":
			if v := asInt(value); f != nil && v != nil && f.Fields["exit"] == nil {
				f.Fields["exit"] = v
			}
		case "Restart Count":
			if v := asInt(value); f != nil && v != nil {
				f.Fields["restarts"] = v
			}
		case "Message":
			if f != nil && last == "State" {
				f.Fields["message"] = value
			}
		}
	})
	flush()
}
