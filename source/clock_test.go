package source

import (
	"bytes"
	"os"
	"testing"
	"time"

	"ddx/logline"
)

// TestNowOfRecords: the forms of the journal tell when they were taken, too,
// small and large.
func TestNowOfRecords(t *testing.T) {
	when := time.Date(2023, 3, 14, 1, 57, 54, 0, time.UTC)
	for _, form := range []string{"journal-export", "journal-json", "journal-json-pretty", "journal-json-seq", "journal-json-sse", "journal-verbose", "journal-short-unix", "rfc5424-counted"} {
		for _, n := range []int{1, 2000} {
			var b []byte
			for i := range n {
				b = append(b, logline.Frame(form, "x y", when.Add(time.Duration(i)*time.Second), 60)...)
			}
			dir := t.TempDir()
			take := open(t, clock, write(t, dir, "material", b))[0]
			if want := when.Add(time.Duration(n-1) * time.Second); !take.Header.Now.Equal(want) {
				t.Errorf("%s, %d records: now %v, want %v", form, n, take.Header.Now, want)
			}
			_, logs, err := Facts(take)
			if err != nil || len(logs) != 1 {
				t.Fatalf("%s: %d logs, error %v", form, len(logs), err)
			}
			r, err := logs[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if _, err := text.ReadFrom(r); err != nil {
				t.Errorf("%s: %v", form, err)
			}
			r.Close()
			last := bytes.TrimSpace(text.Bytes())
			last = last[bytes.LastIndexByte(last, '\n')+1:]
			if l := logline.Parse(last, logs[0].Hint); l.Channel != logline.Kernel || string(l.Message) != "x y" || !l.Time.Equal(take.Header.Now) {
				t.Errorf("%s: last line %q is %+v", form, last, l)
			}
		}
	}
}

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

// TestBlankBegin: a log that begins with more blank lines than recognition
// looks at is a log all the same.
func TestBlankBegin(t *testing.T) {
	text := append(bytes.Repeat([]byte("\n"), 2*HeadSize), "Mar  1 10:00:00 web1 kernel: x\n"...)
	_, logs, err := Facts(open(t, clock, write(t, t.TempDir(), "messages", text))[0])
	if err != nil || len(logs) != 1 {
		t.Errorf("%d logs, error %v", len(logs), err)
	}
}

// TestNowInZone: the moment of a take is read in the zone of its host, as its
// lines are.
func TestNowInZone(t *testing.T) {
	zone, err := os.ReadFile("/usr/share/zoneinfo/Asia/Kolkata")
	if err != nil {
		t.Skipf("needs tzdata: %v", err)
	}
	dir := t.TempDir()
	write(t, dir, "etc/localtime", zone)
	write(t, dir, "var/log/messages", []byte("Mar 14 01:57:54 h kernel: x\n"))
	if got, want := open(t, clock, dir)[0].Header.Now, time.Date(2024, 3, 13, 20, 27, 54, 0, time.UTC); !got.Equal(want) {
		t.Errorf("now %v, want %v", got, want)
	}
}
