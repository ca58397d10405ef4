package source

import (
	"bytes"
	"strconv"
	"strings"

	"ddx"
)

// diskstatColumns names the columns of /proc/diskstats and /sys/block/*/stat
// that are stated.
var diskstatColumns = map[int]string{0: "reads", 2: "read_sectors", 3: "read_ms", 4: "writes", 6: "write_sectors", 7: "write_ms", 9: "io_ms", 10: "weighted_ms"}

// diskStats reads /proc/diskstats and the files of /sys/block.
var diskStats = Reader{
	Name: "diskstats", Doc: "/proc/diskstats, /sys/block/*/stat: completed requests, time and requests in flight",
	Kinds: []string{"disk", "disk.counter"},
	Files: []string{"proc/diskstats", "sys/block/*/stat", "sys/block/*/inflight", "sys/block/*/queue/io_timeout", "sys/block/*/queue/scheduler", "sys/block/*/ro", "sys/block/*/device/model", "sys/block/*/device/serial"},
	Twice: true,
	Match: func(name string, head []byte) bool { return diskstatsLine.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		if it.underPath("sys/block") {
			it.readSysBlock(emit)
			return nil
		}
		it.lines(func(n int, line string) {
			if m := diskstatsLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[1], "ram") {
				it.emitDiskstat(m[1], strings.Fields(m[2]), n, emit)
			}
		})
		return nil
	},
}

var diskstatsLine = lazy(`(?m)^ *\d+ +\d+ ([a-z][\w!-]*)((?: \d+){11,17})[ \t\r]*$`)

func (it *Item) emitDiskstat(disk string, w []string, n int, emit func(ddx.Fact)) {
	if len(w) < 11 {
		return
	}
	for i := range w {
		name := diskstatColumns[i]
		if v := asInt(w[i]); name != "" && v != nil {
			emit(it.fact("disk.counter", diskSubject(disk), n, it.lineText(n), "name", name, "value", v))
		}
	}
	if v := asInt(w[8]); v != nil {
		emit(it.fact("disk", diskSubject(disk), n, it.lineText(n), "inflight", v))
	}
}

// readSysBlock reads a file of /sys/block/DISK.
func (it *Item) readSysBlock(emit func(ddx.Fact)) {
	file, disk := it.pathPart(0), it.pathPart(1)
	if disk == "queue" || disk == "device" {
		disk = it.pathPart(2)
	}
	v := string(bytes.TrimSpace(it.Data))
	w := strings.Fields(v)
	if len(w) == 0 || strings.Contains(v, "\n") {
		return
	}
	switch file {
	case "stat":
		it.emitDiskstat(disk, w, 1, emit)
	case "inflight":
		sum := int64(0)
		for _, x := range w {
			y, _ := strconv.ParseInt(x, 10, 64)
			sum += y
		}
		emit(it.fact("disk", diskSubject(disk), 1, it.lineText(1), "inflight", sum))
	case "io_timeout":
		emit(it.fact("disk", diskSubject(disk), 1, it.lineText(1), "io_timeout_ms", asInt(v)))
	case "scheduler":
		for _, x := range w {
			if s, ok := strings.CutPrefix(x, "["); ok || len(w) == 1 {
				emit(it.fact("disk", diskSubject(disk), 1, it.lineText(1), "scheduler", strings.TrimSuffix(s, "]")))
			}
		}
	case "ro":
		emit(it.fact("disk", diskSubject(disk), 1, it.lineText(1), "read_only", v == "1"))
	case "model", "serial":
		emit(it.fact("disk", diskSubject(disk), 1, it.lineText(1), file, v))
	}
}

// iostat reads iostat -x and sar -d -p: the last report of each device.
var diskRates = Reader{
	Name: "iostat", Doc: "iostat -x, sar -d: use, waiting time and queue of disks",
	Kinds:    []string{"disk.rate", "cpu"},
	Commands: [][]string{{"iostat", "-x", "1", "2"}},
	Match:    func(name string, head []byte) bool { return iostatHeader.Match(head) || iostatCPU.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		var header, cpu *columns
		last, order := map[string]ddx.Fact{}, []string(nil)
		it.lines(func(n int, line string) {
			w := strings.Fields(line)
			switch {
			case iostatHeader.MatchString(line):
				header, cpu = newColumns(w), nil
			case len(w) > 2 && w[0] == "avg-cpu:":
				cpu = newColumns(w[1:])
			case cpu != nil && len(w) == len(cpu.titles):
				var fields []any
				for i, title := range cpu.titles {
					if name := cpuTitles[title]; name != "" {
						fields = append(fields, name, asFloat(w[i]))
					}
				}
				if _, known := last[""]; !known {
					order = append(order, "")
				}
				last[""] = it.fact("cpu", host, n, it.lineText(n), append([]any{"cpu", "all"}, fields...)...)
				cpu = nil
			case header != nil && len(w) >= len(header.titles) && asFloat(w[len(w)-1]) != nil:
				w = w[:len(header.titles)]
				if f, ok := it.diskRate(header, w, n); ok {
					if _, known := last[f.Subject.Name]; !known {
						order = append(order, f.Subject.Name)
					}
					last[f.Subject.Name] = f
				}
			}
		})
		for _, key := range order {
			emit(last[key])
		}
		return nil
	},
}

var iostatCPU = lazy(`(?m)^\s*avg-cpu: +%user`)

var iostatHeader = lazy(`(?m)^\s*(?:Device:?|\S+(?: [AP]M)? +DEV) +.*(?:r/s|tps|rkB/s).*%util`)

// diskRate reads one device. Newer versions print waiting times of reads and
// writes apart: the larger of them is stated.
func (it *Item) diskRate(header *columns, w []string, n int) (ddx.Fact, bool) {
	get := func(titles ...string) any { return asFloat(header.cell(w, titles...)) }
	name := header.cell(w, "Device", "Device:", "DEV")
	if name == "" || asFloat(name) != nil {
		return ddx.Fact{}, false
	}
	await := get("await")
	if await == nil {
		r, _ := get("r_await").(float64)
		wr, ok := get("w_await").(float64)
		if ok {
			await = max(r, wr)
		}
	}
	return it.fact("disk.rate", diskSubject(name), n, it.lineText(n), "util", get("%util"), "await", await, "queue", get("aqu-sz", "avgqu-sz"), "reads", get("r/s"), "writes", get("w/s")), true
}

// ebsGroups gives the counter behind a heading of the EBS statistics and the
// line below it; ebsKeys does so for the JSON form.
var (
	ebsGroups = map[string]map[string]string{
		"Total Ops":                             {"Read": "ebs_read_ops", "Write": "ebs_write_ops"},
		"Total Bytes":                           {"Read": "ebs_read_bytes", "Write": "ebs_write_bytes"},
		"Total Time (us)":                       {"Read": "ebs_read_us", "Write": "ebs_write_us"},
		"EBS Volume Performance Exceeded":       {"IOPS": "ebs_volume_exceeded_iops_us", "Throughput": "ebs_volume_exceeded_tp_us"},
		"EC2 Instance EBS Performance Exceeded": {"IOPS": "ebs_instance_exceeded_iops_us", "Throughput": "ebs_instance_exceeded_tp_us"},
	}
	ebsKeys = map[string]string{
		"total_read_ops": "ebs_read_ops", "total_write_ops": "ebs_write_ops", "total_read_bytes": "ebs_read_bytes", "total_write_bytes": "ebs_write_bytes",
		"total_read_time": "ebs_read_us", "total_write_time": "ebs_write_us",
		"ebs_volume_performance_exceeded_iops": "ebs_volume_exceeded_iops_us", "ebs_volume_performance_exceeded_tp": "ebs_volume_exceeded_tp_us",
		"ec2_instance_ebs_performance_exceeded_iops": "ebs_instance_exceeded_iops_us", "ec2_instance_ebs_performance_exceeded_tp": "ebs_instance_exceeded_tp_us",
	}
)

// ebsStatistics reads the EBS statistics log page as text or JSON.
var ebsStatistics = Reader{
	Name: "ebs-statistics", Doc: "nvme amzn stats, ebsnvme stats: time above the limits of volume and instance",
	Kinds:    []string{"disk", "disk.counter"},
	Commands: [][]string{{"nvme", "amzn", "stats", "/dev/{disk}"}, {"ebsnvme", "stats", "/dev/{disk}"}},
	Twice:    true,
	Match: func(name string, head []byte) bool {
		return ebsMark.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		disk, group := "", map[string]string(nil)
		for _, w := range it.command() {
			if strings.HasPrefix(w, "/dev/") {
				disk = w
			}
		}
		it.lines(func(n int, line string) {
			if h := strings.TrimSuffix(strings.TrimSpace(line), ":"); ebsGroups[h] != nil || ebsGroups[strings.TrimSuffix(h, " (us)")] != nil {
				if group = ebsGroups[h]; group == nil {
					group = ebsGroups[strings.TrimSuffix(h, " (us)")]
				}
				return
			}
			m := ebsValue.FindStringSubmatch(line)
			if m == nil {
				return
			}
			if m[1] == "Queue Length (point in time)" || m[1] == "volume_queue_length" {
				emit(it.fact("disk", diskSubject(disk), n, it.lineText(n), "inflight", asInt(m[2])))
				group = nil
				return
			}
			name := ebsKeys[m[1]]
			if name == "" {
				name = group[m[1]]
			}
			if v := asInt(m[2]); name != "" && v != nil {
				emit(it.fact("disk.counter", diskSubject(disk), n, it.lineText(n), "name", name, "value", v))
			}
		})
		return nil
	},
}

var (
	ebsMark  = lazy(`(?m)^\s*"?(?:EBS Volume Performance Exceeded|EC2 Instance EBS Performance Exceeded|ebs_volume_performance_exceeded_\w+|ec2_instance_ebs_performance_exceeded_\w+)`)
	ebsValue = lazy(`^\s*"?([A-Za-z][\w ]*?(?: \([\w ]+\))?)"?\s*:\s*(\d+),?\s*$`)
)

// nvmeList reads nvme list, the table and JSON.
var nvmeList = Reader{
	Name: "nvme-list", Doc: "nvme list: NVMe disks with model and serial number (the volume id of EBS)",
	Kinds:    []string{"disk"},
	Commands: [][]string{{"nvme", "list"}},
	Match: func(name string, head []byte) bool {
		return nvmeHeader.Match(head) || bytes.Contains(head, []byte(`"DevicePath"`)) || nvmeRow.Match(head)
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		if bytes.Contains(it.Data, []byte(`"DevicePath"`)) {
			docs, err := it.readJSON()
			for _, d := range docs {
				for _, dev := range d.list("Devices") {
					at := []*jsonNode{dev.get("DevicePath"), dev.get("ModelNumber"), dev.get("SerialNumber")}
					if at[0] != nil {
						emit(it.jsonFact("disk", diskSubject(dev.text("DevicePath")), at, "model", asText(strings.TrimSpace(dev.text("ModelNumber"))),
							"serial", asText(strings.TrimSpace(dev.text("SerialNumber"))), "size", dev.num("PhysicalSize"), "type", "disk"))
					}
				}
			}
			return err
		}
		it.lines(func(n int, line string) {
			if m := nvmeRow.FindStringSubmatch(line); m != nil {
				emit(it.fact("disk", diskSubject(m[1]), n, it.lineText(n), "serial", m[2], "model", strings.TrimSpace(m[3]), "type", "disk"))
			}
		})
		return nil
	},
}

var (
	nvmeHeader = lazy(`(?m)^Node +(?:Generic +)?SN +Model `)
	nvmeRow    = lazy(`(?m)^[ \t]*/dev/(nvme\d+n\d+) +(?:/dev/ng\S+ +)?(\S+) +(\S.*?) +(?:0x)?[0-9a-f]+ +[\d.]+ +[KMGT]?B +/ `)
)
