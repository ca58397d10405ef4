package source

import (
	"strings"

	"ddx"
)

// virtualisation reads what says which machine this is: DMI, dmidecode,
// hostnamectl, lscpu, systemd-detect-virt and /sys/hypervisor.
var virtualisation = Reader{
	Name: "virtualisation", Doc: "DMI identity, dmidecode, hostnamectl, lscpu, systemd-detect-virt, /sys/hypervisor",
	Kinds:    []string{"host.virt", "host.kernel", "load"},
	Files:    []string{"sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name", "sys/class/dmi/id/bios_vendor", "sys/class/dmi/id/bios_version", "sys/class/dmi/id/board_vendor", "sys/hypervisor/type"},
	Commands: [][]string{{"systemd-detect-virt"}},
	Match: func(name string, head []byte) bool {
		return dmidecodeText.Match(head) || hostnamectlText.Match(head) || lscpuText.Match(head) || strings.Contains(name, "systemd-detect-virt") || strings.Contains(name, "dmidecode -s")
	},
	Read: readVirtualisation,
}

var (
	dmidecodeText   = lazy(`(?m)^System Information\r?\n\s+Manufacturer:`)
	hostnamectlText = lazy(`(?m)^\s*(?:Static hostname|Operating System): `)
	lscpuText       = lazy(`(?m)^Architecture: +\S+(?:.*\n)+?(?:On-line CPU|CPU\(s\))`)
	colonValue      = lazy(`^\s*([A-Z][\w() ./-]*?):\s+(.*?)\s*$`)
	nitroType       = lazy(`^[a-z]+\d+[a-z0-9-]*\.(?:metal[\w-]*|nano|micro|small|medium|\d*x?large)$`)
)

// hypervisorOf judges a DMI vendor, a product or a hypervisor's name. A
// product in the form of an instance type exists on Nitro only.
func hypervisorOf(value string) any {
	switch v := strings.ToLower(value); {
	case nitroType.MatchString(v):
		if strings.Contains(v, ".metal") {
			return "metal"
		}
		return "nitro"
	case v == "xen" || v == "hvm domu" || strings.HasPrefix(v, "4.2.amazon") || strings.HasPrefix(v, "4.11.amazon"):
		return "xen"
	case v == "kvm" || v == "qemu":
		return "kvm" // Nitro says so too; its DMI vendor tells them apart
	case v == "amazon":
		return "nitro"
	case v == "microsoft" || v == "vmware" || v == "oracle" || v == "innotek gmbh" || v == "vmware, inc.":
		return "other"
	}
	return nil
}

func readVirtualisation(it *Item, emit func(ddx.Fact)) error {
	product, vendor, first, section := "", "", 0, ""
	var hypervisor any
	single := strings.TrimSpace(string(it.Data))
	file := it.pathPart(0)
	if w := it.command(); len(w) > 0 {
		file = w[len(w)-1]
	}
	switch {
	case strings.Contains(single, "\n"):
	case file == "sys_vendor" || file == "system-manufacturer":
		vendor, first, hypervisor = single, 1, hypervisorOf(single)
	case file == "product_name" || file == "system-product-name":
		product, first, hypervisor = single, 1, hypervisorOf(single)
	case file == "type" || file == "systemd-detect-virt" || file == "bios_version" || file == "system-version":
		if hypervisor = hypervisorOf(single); hypervisor != nil {
			first = 1
		}
	}
	it.lines(func(n int, line string) {
		if line != "" && line[0] != ' ' && line[0] != '\t' {
			section = line
		}
		m := colonValue.FindStringSubmatch(line)
		if m == nil {
			return
		}
		switch key := m[1]; {
		case key == "Manufacturer" && section == "System Information", key == "Hardware Vendor":
			vendor = m[2]
		case key == "Product Name" && section == "System Information", key == "Hardware Model":
			product = m[2]
		case key == "Virtualization" || key == "Hypervisor vendor":
			hypervisor = hypervisorOf(m[2])
		case key == "Kernel" && strings.HasPrefix(m[2], "Linux "):
			emit(it.fact("host.kernel", host, n, it.lineText(n), "release", strings.TrimPrefix(m[2], "Linux ")))
			return
		case key == "CPU(s)":
			emit(it.fact("load", host, n, it.lineText(n), "cpus", asInt(m[2])))
			return
		default:
			return
		}
		if first == 0 {
			first = n
		}
	})
	if h := hypervisorOf(product); h != nil {
		hypervisor = h
	}
	if first > 0 {
		emit(it.fact("host.virt", host, first, it.lineText(first), "hypervisor", hypervisor, "vendor", asText(vendor), "product", asText(product)))
	}
	return nil
}
