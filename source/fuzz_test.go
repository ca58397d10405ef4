package source

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"ddx/logline"
)

// Whatever the bytes and whatever reader they are given to: no panic, and only
// facts that are declared.
func FuzzReaders(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/*/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range fixtures {
		if b, err := os.ReadFile(p); err == nil && filepath.Ext(p) != ".facts" && len(b) < 16<<10 {
			f.Add(filepath.Base(p), b)
		}
	}
	f.Add("paste", []byte("[root@h ~]# ethtool -S eth0\n"+ethOut+"$ df\nFilesystem 1K-blocks Used Available Use% Mounted on\n"))
	f.Add("statfs", []byte(`{"statfs":"/","result":"ok","seconds":1,"size":9223372036854775807,"free":-1}`))
	for _, fr := range logline.Framings {
		f.Add("log", logline.Frame(fr.Name, "nvme nvme0: I/O 29 QID 1 timeout, aborting", today, 60))
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		for _, it := range sections(Item{Origin: name, Name: name, Data: b, Time: today}) {
			items := []Item{it}
			for i := range Readers {
				if rd := &Readers[i]; rd.Match != nil && rd.Read != nil && rd.Match(name, b) {
					other := it
					other.Reader = rd.Name
					items = append(items, other)
				}
			}
			second := it
			second.Sample, second.Time = 1, today.Add(1)
			facts, _, err := Facts(Take{Items: append(items, second)})
			if err != nil {
				t.Fatal(err)
			}
			for _, fact := range facts {
				if err := fact.Check(); err != nil {
					t.Fatalf("%s: %v", it.Name, err)
				}
			}
		}
	})
}

// Whatever the archive: no panic, and every take can be read.
func FuzzOpen(f *testing.F) {
	eth := member{name: "ethtool", content: ethOut}
	f.Add(tarOf(f, eth, member{name: "hosts/a/x", content: "y\n"}))
	f.Add(gz(tarOf(f, eth)))
	f.Add(zst([]byte(ethOut)))
	f.Add(xzed(f, []byte(ethOut)))
	f.Add(zipOf(f, eth))
	f.Add([]byte("BZh91AY&SY"))
	f.Add([]byte(`{"header":{"schema":"ddx.record/v1","ddx":"x","now":"2024-03-15T12:00:00Z"}}` + "\n" + `{"fact":{"kind":"mem","subject":{"kind":"host","name":""},"fields":{"total":1}}}` + "\n"))
	f.Add(tarOf(f, member{name: bundleIndex, content: `{"header":{"schema":"ddx.record/v1","ddx":"x","now":"2024-03-15T12:00:00Z"}}` + "\n" + `{"evidence":{"origin":"/x","file":"files/0","taken":{"sample":-1}}}` + "\n"}, member{name: "files/0", content: ethOut}))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		p := filepath.Join(dir, "in")
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		takes, err := OpenFiles(context.Background(), []string{p}, clock)
		if err != nil {
			t.Fatal(err)
		}
		for i := range takes {
			if _, _, err := Facts(takes[i]); err != nil {
				t.Fatal(err)
			}
			takes[i].Close()
		}
	})
}
