package dns

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Endpoint is a name to be watched.
type Endpoint struct {
	Name       string `json:"name"`
	Minimum    int    `json:"minimum,omitempty"`     // fewer addresses than this is a fault
	MeantEmpty bool   `json:"meant_empty,omitempty"` // being without addresses is right
	Generation bool   `json:"generation,omitempty"`  // it carries a generation record
}

// WatchConfig says when alarms are raised and cleared. The zero value is
// usable.
type WatchConfig struct {
	Raise  int           // looks in a row that must show a fault which may pass; 0: 2
	Clear  int           // looks in a row without it that clear an alarm; 0: 2
	Accept time.Duration // a smaller set that stays this long is the new baseline; 0: 24 h
}

// Alarm is a fault of one endpoint that is raised.
type Alarm struct {
	Name     string    `json:"name"` // dns-endpoint-empty, else dns- and the class
	Class    Class     `json:"class"`
	Summary  string    `json:"summary"`
	Evidence []string  `json:"evidence"`
	Since    time.Time `json:"since"` // first look that showed it
	Last     time.Time `json:"last"`  // last look that showed it
	Clears   time.Time `json:"clears,omitzero"`
}

// EventKind says what happened to an alarm.
type EventKind string

// The kinds of events.
const (
	Raised  EventKind = "raised"
	Cleared EventKind = "cleared"
)

// Event is a change that an operator or the engine hears of.
type Event struct {
	Kind     EventKind `json:"kind"`
	Endpoint string    `json:"endpoint"`
	Time     time.Time `json:"time"`
	Alarm    Alarm     `json:"alarm"`
	Verdict  Verdict   `json:"verdict"` // of the look that changed it
}

// streak counts looks in a row.
type streak struct {
	Bad   int       `json:"bad"`
	Good  int       `json:"good"`
	Since time.Time `json:"since"`
}

// WatchState is everything that is remembered of one endpoint. It is a value:
// Observe never changes the one it is given. It goes to disk as JSON.
type WatchState struct {
	Baseline    Baseline         `json:"baseline"`
	Alarms      map[string]Alarm `json:"alarms,omitempty"`
	Looks       int              `json:"looks"`     // observations
	Undecided   int              `json:"undecided"` // observations in which no server could be heard
	SmallerFrom time.Time        `json:"smaller_since,omitzero"`
	Verdict     Verdict          `json:"verdict"` // of the last observation

	streaks map[string]streak
}

// AlarmName is the name under which a class is raised. The three ways in which
// an endpoint that should have addresses can have none are one alarm: the
// operator's question is the same, the class in the alarm says which way.
func AlarmName(c Class) string {
	switch c {
	case NoData, NXDomain, Dangling:
		return "dns-endpoint-empty"
	}
	return "dns-" + string(c)
}

// Observe takes one look at an endpoint and returns the new state and what
// changed. An endpoint that should have addresses and has none, and an older
// generation than was seen before, alarm at the first look; faults that can
// pass by themselves alarm after cfg.Raise looks in a row. A look in which
// nobody could be heard neither clears an alarm of emptiness nor teaches the
// baseline anything.
func Observe(cfg WatchConfig, e Endpoint, s WatchState, a Answers) (WatchState, []Event) {
	s = s.clone()
	s.Looks++
	s.Baseline.Minimum, s.Baseline.MeantEmpty = e.Minimum, e.MeantEmpty
	v := Classify(a, s.Baseline)
	s.Verdict = v

	seen := map[string]Finding{}
	for _, f := range v.Findings {
		name := AlarmName(f.Class)
		if _, worse := seen[name]; !worse && f.Level == Wrong {
			seen[name] = f
		}
	}
	heard := v.Class != Unknown && slices.ContainsFunc(views(a), func(w view) bool {
		return w.state == positive || w.negative()
	})
	if !heard {
		s.Undecided++
	}
	var events []Event
	names := maps.Clone(s.streaks)
	for name := range seen {
		names[name] = streak{}
	}
	for _, name := range keys(names) {
		f, bad := seen[name]
		st := s.streaks[name]
		switch {
		case bad:
			if st.Bad++; st.Bad == 1 {
				st.Since = a.Time
			}
			st.Good = 0
		case heard:
			st.Good++
			st.Bad = 0
		}
		s.streaks[name] = st
		if ev, ok := s.turn(cfg, e, name, f, bad, st, a.Time); ok {
			events = append(events, ev)
		}
		if !bad && st.Good > 0 {
			if _, raised := s.Alarms[name]; !raised {
				delete(s.streaks, name)
			}
		}
	}
	s.learn(cfg, a, v, heard)
	return s, events
}

// turn raises or clears one alarm.
func (s *WatchState) turn(cfg WatchConfig, e Endpoint, name string, f Finding, bad bool, st streak, now time.Time) (Event, bool) {
	al, raised := s.Alarms[name]
	switch {
	case bad:
		first := al.Since
		if !raised {
			first = st.Since
		}
		al = Alarm{Name: name, Class: f.Class, Summary: f.Summary, Evidence: f.Evidence, Since: first, Last: now, Clears: f.Clears}
		if raised || st.Bad >= patience(cfg, f.Class) {
			s.Alarms[name] = al
			return Event{Raised, Canonical(e.Name), now, al, s.Verdict}, !raised
		}
	case raised && st.Good >= max(1, cmp.Or(cfg.Clear, 2)):
		delete(s.Alarms, name)
		return Event{Cleared, Canonical(e.Name), now, al, s.Verdict}, true
	}
	return Event{}, false
}

// patience is how many looks in a row must show a class.
func patience(cfg WatchConfig, c Class) int {
	switch c {
	case NoData, NXDomain, Dangling, Regressed, WrongNXDomain:
		return 1
	}
	return max(1, cmp.Or(cfg.Raise, 2))
}

// learn moves the baseline. Addresses are learnt from looks at which nothing
// about the set was wrong; a smaller set only when it stayed for cfg.Accept.
func (s *WatchState) learn(cfg WatchConfig, a Answers, v Verdict, heard bool) {
	if !heard {
		return
	}
	before := s.Baseline.Addresses
	s.Baseline = s.Baseline.learn(a, v)
	if len(v.Addresses) == 0 || !v.Has(Shrunk) {
		s.SmallerFrom = time.Time{}
		return
	}
	s.Baseline.Addresses = before
	switch {
	case s.SmallerFrom.IsZero():
		s.SmallerFrom = a.Time
	case a.Time.Sub(s.SmallerFrom) >= cmp.Or(cfg.Accept, 24*time.Hour) && len(v.Addresses) >= s.Baseline.Minimum:
		s.Baseline.Addresses, s.SmallerFrom = v.Addresses, time.Time{}
	}
}

func (s WatchState) clone() WatchState {
	s.Alarms, s.streaks = maps.Clone(s.Alarms), maps.Clone(s.streaks)
	if s.Alarms == nil {
		s.Alarms = map[string]Alarm{}
	}
	if s.streaks == nil {
		s.streaks = map[string]streak{}
		for name, al := range s.Alarms { // read back from disk
			s.streaks[name] = streak{Bad: 1, Since: al.Since}
		}
	}
	return s
}

// keys returns the keys of a map in order.
func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
