package source

import (
	"io"
	"strings"
	"testing"
)

// TestQuotesMessages: a JSON document that quotes messages is no log of them; one
// that holds records is, whatever program wrote it.
func TestQuotesMessages(t *testing.T) {
	long := `{"panels":[` + strings.Repeat(`{"title":"table full, dropping packet"},`, 60000)
	for content, want := range map[string]bool{
		// Rules, dashboards, settings.
		"{\n \"rules\": [\n  {\"type\": \"temporary\", \"reason\": \"X\", \"message\": \"m\", \"pattern\": \"table full, dropping packet\"}\n ]\n}": true,
		`{"title":"NFS","description":"watch","time":{"from":"now-6h","to":"now"},"panels":[{"expr":"|= \"table full\""}]}`:                         true,
		`{"kind":"ConfigMap","metadata":{"creationTimestamp":"2026-03-01T10:00:00Z"},"data":{"rules.json":"{\n \"message\": \"table full\"\n}\n"}}`: true,
		`[{"pattern":"table full"},{"pattern":"x"}]`: true,
		`["table full, dropping packet"]`:            true,
		`{}`:                                         true,
		`{"errors":[{"pattern":"table full","message":"m"}]}`: true,
		// Records.
		`{"events":[{"timestamp":1772359200000,"message":"kernel: table full"}]}`:                                           false,
		`[{"textPayload":"table full","timestamp":"2026-03-01T10:00:00.1Z"}]`:                                               false,
		`{"logs":[{"timeUnixNano":"1772359200000000000","body":{"stringValue":"table full"}}]}`:                             false,
		`{"hits":[{"_source":{"@timestamp":"2026-03-01T10:00:00Z","message":"table full"}}]}`:                               false,
		`{"data":{"result":[{"values":[["1772359200000000000","table full"]]}]}}`:                                           false,
		"{\n \"items\": [{\"kind\": \"Event\", \"lastTimestamp\": \"2026-03-01T10:00:00Z\", \"message\": \"table full\"}]}": false,
		`[{"message":"table full"}]`:                                                                   false,
		`{"severity":"high","msg":"table full"}`:                                                       false,
		`{"Stdout":"[    1.000000] a\n[    2.000000] b\n"}`:                                            false,
		`{"version":"0","detail-type":"EC2 Spot Instance Interruption Warning","source":"aws.ec2"}`:    false,
		`{"error":{"code":"SubnetIsFull","message":"table full"}}`:                                     false,
		`{"status":"Failed","error":{"code":"Failed","details":[{"error":{"message":"table full"}}]}}`: false,
		`{"ResponseMetadata":{},"Error":{"Code":"Throttling","Message":"Rate exceeded"}}`:              false,
		// No JSON document.
		"{\"a\":1}\n{\"a\":2}\n":         false,
		"{\"a\":1} table full":           false,
		"{ table full":                   false,
		"[    1.000000] table full":      false,
		strings.Repeat("[{\"a\":", 5000): false,
		long:                             false, // cut
	} {
		it := Item{Data: []byte(content)}
		if got := quotesMessages(&it, it.head(HeadSize)); got != want {
			t.Errorf("%.80s: %v, want %v", content, got, want)
		}
	}
	it := Item{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(long)), nil }}
	if !quotesMessages(&it, it.head(HeadSize)) {
		t.Error("a large document, of which the head is looked at, is taken for a log")
	}
}

// TestUnrecognised tells what was scanned from what was not looked into, and why.
func TestUnrecognised(t *testing.T) {
	for content, want := range map[string]string{
		"some prose that nobody knows\n": "",
		`{"rules":[{"pattern":"x"}]}`:    "JSON document",
		"\x00\x01\x02\x03\x04\x05":       "neither text nor a known form",
	} {
		facts, logs, err := Facts(Take{Items: []Item{{Origin: "x", Name: "x", Data: []byte(content), Named: true}}})
		if err != nil || len(facts) != 1 || facts[0].Kind != "unrecognised" || (len(logs) == 1) != (want == "") {
			t.Fatalf("%q: %+v, %d logs, error %v", content, facts, len(logs), err)
		}
		named, _ := facts[0].Bool("named")
		if why := facts[0].String("why"); !strings.Contains(why, want) || (why == "") != (want == "") || named != (want != "") {
			t.Errorf("%q: %q, named %v, want %q", content, why, named, want)
		}
	}
}
