package counters

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

var start = time.Unix(1_700_000_000, 0).UTC()

func at(sec float64) time.Time { return start.Add(time.Duration(sec * float64(time.Second))) }

func samples(step float64, values ...float64) []Sample {
	var out []Sample
	for i, v := range values {
		if v >= 0 {
			out = append(out, Sample{at(float64(i) * step), v})
		}
	}
	return out
}

func TestDeltas(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   Kind
		values []float64 // -1: missing
		want   string
	}{
		{"counter", Cumulative, []float64{100, 110, 110, 150}, "10 0 40"},
		{"reset", Cumulative, []float64{100, 110, 5, 9}, "10 5(reset) 4"},
		{"wrap at 2^32", Cumulative, []float64{1<<32 - 30, 1<<32 - 10, 10, 30}, "20 20(wrap) 20"},
		{"near 2^32, but reset", Cumulative, []float64{1<<32 - 30, 1<<32 - 10, 90000, 90020}, "20 90000(reset) 20"},
		{"gap", Cumulative, []float64{100, 110, -1, -1, 140, 150}, "10 30(gap) 10"},
		{"rate", Rate, []float64{1, 2, 0}, "20 0"},
		{"rate with a gap", Rate, []float64{1, 2, -1, -1, 3}, "20 30"},
		{"state has none", State, []float64{1, 0}, ""},
	} {
		s := Series{Kind: c.kind, Step: 10 * time.Second, Samples: samples(10, c.values...)}
		var got []string
		for _, d := range s.Deltas() {
			w := fmt.Sprint(d.Amount)
			for mark, on := range map[string]bool{"(reset)": d.Reset, "(wrap)": d.Wrapped, "(gap)": d.Gap} {
				if on {
					w += mark
				}
			}
			got = append(got, w)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

func csvFolder(rates bool) fstest.MapFS {
	fsys := fstest.MapFS{}
	put := func(name, text string) { fsys[name] = &fstest.MapFile{Data: []byte(text)} }
	v := func(a, b string) string {
		if rates {
			return b
		}
		return a
	}
	put("graphite-1/interface-eth0/if_packets-2023-11-14", "epoch,rx,tx\n1700000000.001,"+v("100,50", "nan,nan")+"\n1700000010.001,"+v("200,60", "10.000000,1.000000")+"\n")
	put("graphite-1/interface-eth0/if_packets-2023-11-15", "epoch,rx,tx\n1700000020.001,"+v("200,70", "0.000000,1.100000")+"\n1700000030.0")
	put("graphite-1/cpu-0/cpu-idle-2023-11-14", "epoch,value\n1700000000.000,"+v("1000", "90.5")+"\n1700000010.000,"+v("1900", "90.0")+"\n")
	put("graphite-1/cpu-0/cpu-user-2023-11-14", "epoch,value\n1700000000.000,"+v("100", "9.5")+"\n1700000010.000,"+v("200", "10.0")+"\n")
	put("graphite-1/uptime/uptime-2023-11-14", "epoch,value\n1700000000.000,5000.000000\n")
	put("graphite-1/other.txt", "hello")
	return fsys
}

func TestCollectdCSV(t *testing.T) {
	for _, rates := range []bool{false, true} {
		all, errs := CollectdCSV(csvFolder(rates), ".")
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), "if_packets-2023-11-15: line 3") {
			t.Errorf("errors %v", errs)
		}
		rx, ok := Find(all, "graphite-1", "eth0", RxPackets)
		if !ok {
			t.Fatalf("no rx_packets in %v", all)
		}
		wantKind, wantSamples := Cumulative, 3
		if rates {
			wantKind, wantSamples = Rate, 2
		}
		if rx.Kind != wantKind || len(rx.Samples) != wantSamples {
			t.Errorf("rates %v: %+v", rates, rx)
		}
		cpu, _ := Find(all, "graphite-1", "", CPU)
		if d := cpu.Deltas(); len(d) != 1 || d[0].Amount != 10 {
			t.Errorf("rates %v: cpu %+v, deltas %v", rates, cpu, d)
		}
		if up, ok := Find(all, "graphite-1", "", Uptime); !ok || up.Kind != State {
			t.Errorf("uptime %+v", up)
		}
	}
}

// FuzzCollectdCSV: samples of a file are in order of time whatever it holds.
func FuzzCollectdCSV(f *testing.F) {
	f.Add([]byte("epoch,rx,tx\n1700000000.001,100,50\n1700000010.001,200,60\n1700000005.0,1,1\n"))
	f.Add([]byte("epoch,rx,tx\n1700000000.001,nan,nan\n1700000010.001,10.5,1e400\n\n170000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, _ := CollectdCSV(fstest.MapFS{"h/interface-eth0/if_packets-2023-11-14": &fstest.MapFile{Data: b}}, ".")
		for _, s := range all {
			for i := 1; i < len(s.Samples); i++ {
				if !s.Samples[i-1].Time.Before(s.Samples[i].Time) {
					t.Fatalf("%+v", s)
				}
			}
			s.Deltas()
		}
	})
}

// packet builds a packet of collectd's protocol.
func packet(host string, sec float64, iface string, rx, tx int64) []byte {
	var b []byte
	part := func(kind uint16, body []byte) {
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, uint16(len(body)+4))
		b = append(b, body...)
	}
	part(partHost, append([]byte(host), 0))
	part(partTimeHR, binary.BigEndian.AppendUint64(nil, uint64((float64(start.Unix())+sec)*(1<<30))))
	part(partIntervalHR, binary.BigEndian.AppendUint64(nil, 10<<30))
	part(partPlugin, []byte("interface\x00"))
	part(partPluginInstance, append([]byte(iface), 0))
	part(partType, []byte("if_packets\x00"))
	v := []byte{0, 2, 2, 2}
	v = binary.BigEndian.AppendUint64(v, uint64(rx))
	v = binary.BigEndian.AppendUint64(v, uint64(tx))
	part(partValues, v)
	return b
}

func TestCollectdPackets(t *testing.T) {
	c := CollectdPackets{Users: map[string]string{"ddx": "secret"}}
	for i, rx := range []int64{100, 200} {
		if err := c.Add(packet("h", float64(10*i), "eth0", rx, 5)); err != nil {
			t.Fatal(err)
		}
	}
	rx, ok := Find(c.Series(), "h", "eth0", RxPackets)
	if !ok || len(rx.Samples) != 2 || rx.Step != 10*time.Second || rx.Deltas()[0].Amount != 100 {
		t.Errorf("%+v", rx)
	}
	plain := packet("h", 20, "eth0", 300, 5)
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte("ddx"))
	mac.Write(plain)
	signed := append(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, partSign), 4+32+3), mac.Sum(nil)...)
	signed = append(append(signed, "ddx"...), plain...)
	if err := c.Add(signed); err != nil {
		t.Error(err)
	}
	signed[len(signed)-1] ^= 1
	if err := c.Add(signed); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("changed packet: %v", err)
	}
	strict := CollectdPackets{Require: true}
	if err := strict.Add(plain); err == nil || len(strict.Series()) != 0 {
		t.Errorf("unsigned packet where a signature is required: %v", err)
	}
}

func FuzzCollectdPackets(f *testing.F) {
	f.Add(packet("h", 0, "eth0", 1, 2))
	f.Add(packet("h", 0, "eth0", 1, 2)[:50])
	f.Add([]byte{2, 16, 0, 40, 0, 3, 'd', 'd', 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		c := CollectdPackets{Users: map[string]string{"ddx": "secret"}}
		_ = c.Add(b)
		c.Series()
	})
}

const sadfText = `{"sysstat":{"hosts":[{"nodename":"h","statistics":[
 {"timestamp":{"date":"2023-11-14","time":"22:13:30","utc":1,"interval":10},
  "cpu-load":[{"cpu":"all","user":1.0,"idle":99.0}],
  "network":{"net-dev":[{"iface":"eth0","rxpck":12.5,"txpck":3.0,"rxkB":1.0,"txkB":0.5}],"net-edev":[{"iface":"eth0","rxerr":0.0,"txerr":0.0,"rxdrop":0.1,"txdrop":0.0}]}},
 {"timestamp":{"date":"2023-11-14","time":"22:13:40","utc":1,"interval":10},
  "network":{"net-dev":[{"iface":"eth0","rxpck":0.0,"txpck":3.0,"rxkB":0.0,"txkB":0.5}]}}]}]}}`

const ipText = `1700000000.5
[{"ifname":"eth0","flags":["BROADCAST","UP","LOWER_UP"],"operstate":"UP","address":"02:00:00:00:00:01","stats64":{"rx":{"bytes":1000,"packets":10,"errors":0,"dropped":0},"tx":{"bytes":500,"packets":5,"errors":0,"dropped":0}}}]
1700000010.5
[{"ifname":"eth0","flags":["BROADCAST"],"operstate":"DOWN","address":"02:00:00:00:00:01","stats64":{"rx":{"bytes":1500,"packets":15,"errors":0,"dropped":0},"tx":{"bytes":500,"packets":5,"errors":0,"dropped":0}}}]
`

const netDevText = `1700000000
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 1000 10 0 0 0 0 0 0 500 5 0 0 0 0 0 0
1700000010
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 1500 15 0 0 0 0 0 0 500 5 0 0 0 0 0 0
`

const expositionText = `# HELP node_network_receive_packets_total Network device statistic receive_packets.
# TYPE node_network_receive_packets_total counter
node_network_receive_packets_total{device="eth0"} 10
node_network_up{device="eth0"} 1
node_cpu_seconds_total{cpu="0",mode="idle"} 100.5
node_cpu_seconds_total{cpu="0",mode="user"} 10.25
node_other{x="a\"},b"} 1
`

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		format string
		metric string
		want   string // samples
	}{
		"sadf":       {sadfText, "sadf", RxPackets, "12.5 0"},
		"ip":         {ipText, "ip-link", RxPackets, "10 15"},
		"ip down":    {ipText, "ip-link", Up, "1 0"},
		"net dev":    {netDevText, "net-dev", RxPackets, "10 15"},
		"exposition": {expositionText, "exposition", RxPackets, "10"},
		"graphite": {`[{"target":"collectd.h.interface-eth0.if_packets.rx","datapoints":[[1.5,1700000000],[null,1700000010],[2.5,1700000020]]}]`,
			"graphite-json", RxPackets, "1.5 2.5"},
		"carbon": {"collectd.h.interface-eth0.if_packets.rx 10 1700000000\ncollectd.h.interface-eth0.if_packets.rx 15 1700000010\nservers.h.network.eth0.tx_packets 7 1700000000\n",
			"carbon", RxPackets, "10 15"},
		"prometheus": {`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"node_network_receive_packets_total","device":"eth0","instance":"h:9100"},"values":[[1700000000,"10"],[1700000010.5,"15"]]}]}}`,
			"prometheus-json", RxPackets, "10 15"},
		"series": {`{"host":"h","interface":"eth0","metric":"rx_packets","kind":"cumulative","step":0,"origin":"x","samples":[{"t":"2023-11-14T22:13:20Z","v":10}]}` + "\n",
			"series", RxPackets, "10"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := Read(strings.NewReader(c.text), "h", name, start)
			if err != nil {
				t.Fatal(err)
			}
			s, ok := Find(l.Series, "h", "eth0", c.metric)
			if !ok || l.Format != c.format || len(l.Errors) > 0 {
				t.Fatalf("format %s, errors %v, series %+v", l.Format, l.Errors, l.Series)
			}
			var got []string
			for _, v := range s.Samples {
				got = append(got, fmt.Sprint(v.Value))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
	if _, err := Read(strings.NewReader("hello world\n"), "h", "x", start); err == nil {
		t.Error("nonsense was read")
	}
	l, err := Read(strings.NewReader(ipText[:len(ipText)-20]), "h", "x", start)
	if err != nil || len(l.Errors) != 1 || !strings.Contains(l.Errors[0].Error(), "snapshot at line 3") {
		t.Errorf("half a snapshot: %v %+v", err, l)
	}
	if cpu, ok := Find(mustRead(t, expositionText).Series, "h", "", CPU); !ok || cpu.Samples[0].Value != 110.75 {
		t.Errorf("cpu %+v", cpu)
	}
}

func mustRead(t *testing.T, text string) *Loaded {
	l, err := Read(strings.NewReader(text), "h", "x", start)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{sadfText, ipText, netDevText, expositionText, "a.h.interface-eth0.if_packets.rx 1 1700000000\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Read(bytes.NewReader(b), "h", "x", start)
		if err != nil {
			return
		}
		for _, s := range l.Series {
			s.Deltas()
		}
	})
}

// ring is one archive of a Whisper file, with places for ten points.
type ring struct {
	sec    uint32
	points []Sample
}

func whisperFile(archives ...ring) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0, 0}, uint32(len(archives)))
	for i, a := range archives {
		for _, v := range []uint32{uint32(16 + 12*len(archives) + 120*i), a.sec, 10} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
	}
	for _, a := range archives {
		data := make([]byte, 120)
		for i, p := range a.points {
			binary.BigEndian.PutUint32(data[12*i:], uint32(p.Time.Unix()))
			binary.BigEndian.PutUint64(data[12*i+4:], math.Float64bits(p.Value))
		}
		b = append(b, data...)
	}
	return b
}

func TestWhisper(t *testing.T) {
	const name = "collectd.h.interface-eth0.if_packets.rx"
	old := Sample{at(-5000), 1} // left over from an earlier round of the ring
	b := whisperFile(ring{10, []Sample{{at(0), 10}, {at(10), 10}, old}})
	s, err := Whisper(bytes.NewReader(b), int64(len(b)), name, "f")
	if err != nil || len(s) != 1 || len(s[0].Samples) != 2 || s[0].Step != 10*time.Second || s[0].Interface != "eth0" {
		t.Errorf("%v %+v", err, s)
	}
	if _, err := Whisper(bytes.NewReader(b[:40]), 40, name, "f"); err == nil || !strings.Contains(err.Error(), "beyond") {
		t.Errorf("truncated file: %v", err)
	}
	// The minute from -60 on ends where the fine points begin; the one from 0
	// on, and one that only partly covers them, would tell the same time twice.
	for _, first := range []float64{0, 10, 50} {
		b := whisperFile(ring{10, []Sample{{at(first), 3}, {at(60), 4}}}, ring{60, []Sample{{at(-60), 1}, {at(0), 2}, {at(60), 4}}})
		s, err := Whisper(bytes.NewReader(b), int64(len(b)), name, "f")
		if want := []Sample{{at(-60), 1}, {at(first), 3}, {at(60), 4}}; err != nil || len(s) != 1 || !slices.Equal(s[0].Samples, want) {
			t.Errorf("fine points from %g s on: %v %+v, want %v", first, err, s, want)
		}
	}
}

func FuzzWhisper(f *testing.F) {
	f.Add(whisperFile(ring{10, []Sample{{at(0), 10}}}, ring{60, []Sample{{at(-60), 1}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = Whisper(bytes.NewReader(b), int64(len(b)), "collectd.h.interface-eth0.if_packets.rx", "f")
	})
}
