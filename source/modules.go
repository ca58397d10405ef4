package source

import (
	"bytes"
	"slices"
	"strings"

	"ddx"
)

// moduleName gives the name of a module as lsmod writes it: the base name of
// its file without suffixes, with underscores.
func moduleName(file string) string {
	name := file[strings.LastIndexByte(file, '/')+1:]
	name, _, _ = strings.Cut(name, ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// moduleInfo reads modinfo, also its answer that there is no such module.
var moduleInfo = Reader{
	Name: "modinfo", Doc: "modinfo: version and file of a kernel module, or that there is none",
	Kinds:    []string{"kernel.module"},
	Commands: [][]string{{"modinfo", "ena"}, {"modinfo", "ixgbevf"}, {"modinfo", "nvme"}, {"modinfo", "nfs"}, {"modinfo", "nfsv4"}, {"modinfo", "xfs"}},
	Match: func(name string, head []byte) bool {
		return modinfoFile.Match(head) || modinfoMissing.Match(head) || vermagicLine.Match(head)
	},
	Read: readModinfo,
}

var (
	modinfoFile    = lazy(`(?m)^[ \t]*filename:[ \t]+(/\S+\.ko\S*|\(builtin\))`)
	vermagicLine   = lazy(`(?m)^[ \t]*vermagic:[ \t]+\d+\.\d+`)
	modinfoMissing = lazy(`(?m)^[ \t]*modinfo: (?:ERROR: Module (?:alias )?|FATAL: Module |could not find module |module ')?([\w-]+)'? ?(?:not found|$)`)
	modinfoField   = lazy(`^\s*(filename|version|vermagic|name|srcversion|license|depends):\s*(.*?)\s*$`)
)

func readModinfo(it *Item, emit func(ddx.Fact)) error {
	fields, lines := map[string]string{}, []int(nil)
	flush := func() {
		name := strings.ReplaceAll(fields["name"], "-", "_")
		if name == "" && strings.Contains(fields["filename"], ".ko") {
			name = moduleName(fields["filename"])
		}
		if w := it.command(); name == "" && len(w) > 1 && w[0] == "modinfo" {
			name = moduleName(w[len(w)-1])
		}
		if name != "" && len(lines) > 0 {
			release, _, _ := strings.Cut(fields["vermagic"], " ")
			f := it.fact("kernel.module", host, lines[0], it.lineText(lines[0]), "name", name,
				"version", fields["version"], "filename", asText(fields["filename"]), "vermagic", asText(release), "available", true)
			if fields["version"] == "" && fields["license"] == "" && fields["srcversion"] == "" {
				delete(f.Fields, "version") // a fragment that may have lost the line
			}
			for _, n := range lines[1:] {
				f.Evidence = append(f.Evidence, it.evidence(n, it.lineText(n))...)
			}
			emit(f)
		}
		clear(fields)
		lines = nil
	}
	it.lines(func(n int, line string) {
		if m := modinfoMissing.FindStringSubmatch(line); m != nil {
			flush()
			emit(it.fact("kernel.module", host, n, it.lineText(n), "name", moduleName(m[1]), "available", false))
			return
		}
		m := modinfoField.FindStringSubmatch(line)
		if m == nil {
			return
		}
		if m[1] == "filename" {
			flush()
		}
		fields[m[1]] = m[2]
		if m[1] == "filename" || m[1] == "version" || m[1] == "vermagic" {
			lines = append(lines, n)
		}
	})
	flush()
	return nil
}

// loadedModules reads lsmod and /proc/modules.
var loadedModules = Reader{
	Name: "modules", Doc: "/proc/modules, lsmod: loaded kernel modules",
	Kinds: []string{"kernel.module"},
	Files: []string{"proc/modules"},
	Match: func(name string, head []byte) bool {
		return procModulesLine.Match(head) || lsmodHeader.Match(head) || knownLsmodLine.Match(head) && len(head) < 1024
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		it.lines(func(n int, line string) {
			m := lsmodLine.FindStringSubmatch(line)
			if m == nil {
				return
			}
			emit(it.fact("kernel.module", host, n, it.lineText(n), "name", m[1], "loaded", true))
		})
		return nil
	},
}

var (
	procModulesLine = lazy(`(?m)^\w+ \d+ \d+ \S+ (?:Live|Loading|Unloading) 0x[0-9a-f]+`)
	lsmodHeader     = lazy(`(?m)^[ \t]*Module +Size +Used by`)
	knownLsmodLine  = lazy(`(?m)^(?:ena|ixgbevf|nvme|nvme_core|nfs|nfsv4|sunrpc|xen_netfront|xen_blkfront|nf_conntrack|xfs|virtio_net|overlay) +\d{4,} +\d+(?: +[\w,]+)?[ \t\r]*$`)
	lsmodLine       = lazy(`^\s*(\w+)\s+\d+\s+-?\d+(?:\s+[\w,-]+)?(?:\s+(?:Live|Loading|Unloading)\s.*)?\s*$`)
)

// moduleVersions reads /sys/module/NAME/version and the parameters of the
// modules of interest. The path names the module.
var moduleVersions = Reader{
	Name: "module-attributes", Doc: "/sys/module/*/version and parameters of ena, nvme_core and nfs",
	Kinds: []string{"kernel.module", "kernel.param"},
	Files: []string{"sys/module/*/version", "sys/module/nvme_core/parameters/*", "sys/module/ena/parameters/*", "sys/module/nfs/parameters/*", "sys/module/sunrpc/parameters/*"},
	Match: func(name string, head []byte) bool { return false },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		v := string(bytes.TrimSpace(it.Data))
		if v == "" || strings.Contains(v, "\n") {
			return nil
		}
		if it.pathPart(1) == "parameters" {
			emit(it.fact("kernel.param", host, 1, it.lineText(1), "name", it.pathPart(2)+"."+it.pathPart(0), "value", v))
		} else if module := it.pathPart(1); module != "" {
			emit(it.fact("kernel.module", host, 1, it.lineText(1), "name", moduleName(module), "version", v, "loaded", true))
		}
		return nil
	},
}

// initramfsModules are the modules without which a guest does not find its
// root disk or its network.
var initramfsModules = []string{"ena", "ixgbevf", "nvme", "nvme_core", "xen_blkfront", "xen_netfront", "virtio_blk", "virtio_net", "virtio_pci", "nfs", "nfsv4", "xfs", "ext4", "dm_mod"}

// initramfsListing reads lsinitramfs and lsinitrd. That a module of interest
// is not in it is stated only for a listing that shows the image's init; a
// module built into the kernel is never in it either.
var initramfsListing = Reader{
	Name: "initramfs", Doc: "lsinitramfs, lsinitrd: which drivers the initial file system holds",
	Kinds: []string{"kernel.module"},
	Match: func(name string, head []byte) bool { return initramfsFile.Match(head) },
	Read: func(it *Item, emit func(ddx.Fact)) error {
		complete, first := false, 0
		seen := map[string]bool{}
		it.lines(func(n int, line string) {
			if initramfsInit.MatchString(line) {
				complete = true
			}
			m := initramfsFile.FindStringSubmatch(line)
			if m == nil {
				return
			}
			if first == 0 {
				first = n
			}
			name := moduleName(m[2])
			if slices.Contains(initramfsModules, name) && !seen[name] {
				seen[name] = true
				emit(it.fact("kernel.module", host, n, it.lineText(n), "name", name, "in_initramfs", true, "filename", m[2], "vermagic", m[1]))
			}
		})
		for _, name := range initramfsModules {
			if complete && !seen[name] {
				emit(it.fact("kernel.module", host, first, it.lineText(first), "name", name, "in_initramfs", false))
			}
		}
		return nil
	},
}

var (
	initramfsFile = lazy(`(?m)^(?:[-drwxlst]{10} .* |\./)?(?:usr/)?lib/modules/([^/\s]+)/(\S+\.ko(?:\.(?:xz|gz|zst))?)[ \t\r]*$`)
	initramfsInit = lazy(`(?:^|[ /])init(?: -> \S+)?\s*$`)
)
