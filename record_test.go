package ddx

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sampleRecords() []Record {
	return []Record{
		{Evidence: &Evidence{Kind: "log", Origin: "/var/log/syslog:12", Host: "h", Time: time.Date(2026, 3, 1, 2, 3, 4, 5000, time.UTC), Mono: 12.5, Text: "a <b> & \"c\"\x1b[31m"}},
		{Fact: &Fact{Kind: "nic.counter", Subject: Subject{NIC, "eth0"}, Fields: map[string]any{"name": "wd_expired", "value": int64(1) << 60, "seconds": 1.5, "reset": true}}},
		{Fact: &Fact{Kind: "mount", Subject: Subject{Mount, "/a b"}, Fields: map[string]any{"options": []string{"rw", "timeo=600"}, "hard": false}}},
		{Test: &Test{ID: "t", Title: "Is it?", Run: "true", Cost: ReadOnly}},
		{Progress: &Progress{Message: "reading", Done: 1, Total: 2}},
	}
}

// TestRecordRoundTrip holds that what is written is read back as it was: whole
// numbers as int64, lists as []string.
func TestRecordRoundTrip(t *testing.T) {
	var b bytes.Buffer
	w, err := NewRecordWriter(&b, Header{DDX: "x", Host: "h", Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	want := sampleRecords()
	for _, r := range want {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []Record
	h, err := ReadRecords(&b, func(r Record) error { got = append(got, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if h.Host != "h" || h.Schema != RecordSchema {
		t.Errorf("header %+v", h)
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i].Fact != nil {
			if err := got[i].Fact.Check(); err != nil {
				t.Error(err)
			}
			if !reflect.DeepEqual(got[i].Fact, want[i].Fact) {
				t.Errorf("record %d: %#v, want %#v", i, got[i].Fact, want[i].Fact)
			}
		}
	}
	if got[0].Evidence.Text != want[0].Evidence.Text || !got[0].Evidence.Time.Equal(want[0].Evidence.Time) {
		t.Errorf("evidence %+v", got[0].Evidence)
	}
}

func TestRecordErrors(t *testing.T) {
	header := `{"header":{"schema":"ddx.record/v1","ddx":"x","now":"2026-03-01T00:00:00Z"}}` + "\n"
	for name, tt := range map[string]struct{ text, want string }{
		"empty":          {"", "no header"},
		"no header":      {`{"progress":{"message":"x"}}`, "before the header"},
		"two nouns":      {header + `{"progress":{"message":"x"},"test":{"id":"t"}}`, "line 2: 2 known nouns"},
		"none":           {header + `{"future":{}}`, "0 known nouns"},
		"two headers":    {header + header, "second header"},
		"broken":         {header + `{"fact":`, "line 2"},
		"other schema":   {strings.Replace(header, "v1", "v9", 1), `reads "ddx.record/v1"`},
		"wrong type":     {header + `{"fact":{"kind":"nic.counter","subject":{"kind":"nic","name":"e"},"fields":{"value":"x"}}}`, "field value"},
		"unknown fields": {header + `{"fact":{"kind":"nic.counter","later":1,"subject":{"kind":"nic","name":"e"},"fields":{"later":1}}}`, ""},
	} {
		_, err := ReadRecords(strings.NewReader(tt.text), func(Record) error { return nil })
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	w, err := NewRecordWriter(&bytes.Buffer{}, Header{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(Record{}); err == nil {
		t.Error("a record without a noun was written")
	}
}

// TestProgressIsFree holds that a stream without its progress records says the same.
func TestProgressIsFree(t *testing.T) {
	var nouns []string
	for _, r := range sampleRecords() {
		if r.Progress == nil {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			nouns = append(nouns, string(b))
		}
	}
	if len(nouns) != len(sampleRecords())-1 {
		t.Error("progress is part of another noun")
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add([]byte(`{"header":{"schema":"ddx.record/v1","ddx":"x","now":"2026-03-01T00:00:00Z"}}` + "\n" + `{"fact":{"kind":"table","subject":{"kind":"host","name":""},"fields":{"used":1}}}`))
	f.Add([]byte("\x00\xff{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = ReadRecords(bytes.NewReader(data), func(r Record) error {
			if r.Fact != nil && LookupFact(r.Fact.Kind) != nil {
				if err := r.Fact.Check(); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
	})
}

func TestSubject(t *testing.T) {
	s, err := ParseSubject("task:mount.nfs4:4102")
	if err != nil || s != (Subject{Task, "mount.nfs4:4102"}) || s.String() != "task:mount.nfs4:4102" {
		t.Errorf("%v %v", s, err)
	}
	if _, err := ParseSubject("nothing"); err == nil {
		t.Error("no error for a subject without a kind")
	}
}

func TestExit(t *testing.T) {
	for name, tt := range map[string]struct {
		d    Diagnosis
		want int
	}{
		"nothing":       {Diagnosis{}, 0},
		"possible":      {Diagnosis{Findings: []Finding{{Verdict: Possible}}}, 0},
		"likely":        {Diagnosis{Findings: []Finding{{Verdict: Likely}}}, 3},
		"accepted":      {Diagnosis{Findings: []Finding{{Verdict: Confirmed, Accepted: "known"}}}, 0},
		"latent":        {Diagnosis{Findings: []Finding{{Verdict: Likely, Latent: true}}}, 0},
		"missed":        {Diagnosis{NotExamined: []NotExamined{{What: "x"}}}, 0},
		"missed basic":  {Diagnosis{NotExamined: []NotExamined{{Basic: true}}}, 4},
		"missed named":  {Diagnosis{NotExamined: []NotExamined{{Named: true}}}, 4},
		"decides":       {Diagnosis{NotExamined: []NotExamined{{Decides: true}}}, 4},
		"3 wins over 4": {Diagnosis{Findings: []Finding{{Verdict: Confirmed}}, NotExamined: []NotExamined{{Basic: true}}}, 3},
	} {
		if got := tt.d.Exit(); got != tt.want {
			t.Errorf("%s: exit %d, want %d", name, got, tt.want)
		}
	}
}
