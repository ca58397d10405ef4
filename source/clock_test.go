package source

import (
	"testing"
	"time"
)

// TestYearOfOldLog: a log without years has those that its file can have.
func TestYearOfOldLog(t *testing.T) {
	line := []byte("Mar  1 10:00:00 web1 kernel: x\n")
	for _, c := range []struct {
		changed time.Time
		want    int
	}{
		{time.Date(2019, 3, 2, 0, 0, 0, 0, time.UTC), 2019},
		{time.Date(2019, 2, 2, 0, 0, 0, 0, time.UTC), 2018},
		{time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), 2023}, // a zip without times
		{time.Time{}, 2023},
		{today.Add(time.Hour), 2023},
	} {
		now := time.Date(2024, 2, 20, 0, 0, 0, 0, time.UTC)
		o := Options{Now: func() time.Time { return now }}
		take := Take{Items: []Item{{Origin: "messages", Name: "messages", Time: c.changed, Data: line}}}
		finish(&take, &o)
		_, logs, err := Facts(take)
		if err != nil || len(logs) != 1 {
			t.Fatal(len(logs), err)
		}
		if got := take.Header.Now.Year(); got != c.want {
			t.Errorf("changed %v: the take is of %d, want %d", c.changed, got, c.want)
		}
		if !c.changed.IsZero() && c.changed.Year() == c.want && logs[0].Hint.Now.Year() != c.want {
			t.Errorf("changed %v: its lines are read as of %v", c.changed, logs[0].Hint.Now)
		}
	}
}
