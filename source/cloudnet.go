package source

import "strings"

// protocolName gives the name of a protocol as rules write it: -1 is all.
func protocolName(p string) any {
	switch p {
	case "-1", "all":
		return "all"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "1":
		return "icmp"
	case "58":
		return "icmpv6"
	}
	return asText(p)
}

// securityGroup states each rule of a group, and the group itself: that all of
// its rules were seen is what makes a missing one a fact.
func (r *awsReader) securityGroup(n *jsonNode) {
	id, counts := n.text("GroupId"), map[string]int64{}
	for _, direction := range []string{"ingress", "egress"} {
		list := map[string]string{"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}[direction]
		for _, p := range n.list(list) {
			for _, s := range []struct{ list, key string }{{"IpRanges", "CidrIp"}, {"Ipv6Ranges", "CidrIpv6"}, {"UserIdGroupPairs", "GroupId"}, {"PrefixListIds", "PrefixListId"}} {
				for _, src := range p.list(s.list) {
					counts[direction]++
					r.fact("cloud.sg.rule", id, []*jsonNode{n.get("GroupId"), p.get("IpProtocol"), p.get("FromPort"), src.get(s.key)},
						"direction", direction, "proto", protocolName(p.text("IpProtocol")), "from", p.num("FromPort"), "to", p.num("ToPort"), "source", src.str(s.key), "vpc", n.str("VpcId"))
				}
			}
		}
	}
	egress := any(nil)
	if n.get("IpPermissionsEgress") != nil {
		egress = counts["egress"]
	}
	r.fact("cloud.sg", id, []*jsonNode{n.get("GroupId")}, "name", n.str("GroupName"), "vpc", n.str("VpcId"), "ingress", counts["ingress"], "egress", egress)
}

func (r *awsReader) securityGroupRule(n *jsonNode) {
	direction := "ingress"
	if n.text("IsEgress") == "true" {
		direction = "egress"
	}
	source := any(nil)
	for _, keys := range [][]string{{"CidrIpv4"}, {"CidrIpv6"}, {"ReferencedGroupInfo", "GroupId"}, {"PrefixListId"}} {
		if source == nil {
			source = n.str(keys...)
		}
	}
	r.fact("cloud.sg.rule", n.text("GroupId"), []*jsonNode{n.get("SecurityGroupRuleId"), n.get("IpProtocol"), n.get("FromPort")},
		"direction", direction, "proto", protocolName(n.text("IpProtocol")), "from", n.num("FromPort"), "to", n.num("ToPort"), "source", source)
}

func (r *awsReader) networkACL(n *jsonNode) {
	id, subnets := n.text("NetworkAclId"), n.texts("Associations", "SubnetId")
	for _, e := range n.list("Entries") {
		cidr := e.str("CidrBlock")
		if cidr == nil {
			cidr = e.str("Ipv6CidrBlock")
		}
		r.fact("cloud.nacl.entry", id, []*jsonNode{n.get("NetworkAclId"), e.get("RuleNumber"), e.get("RuleAction"), e.get("PortRange", "From")},
			"number", e.num("RuleNumber"), "egress", e.truth("Egress"), "action", e.str("RuleAction"), "proto", protocolName(e.text("Protocol")),
			"from", e.num("PortRange", "From"), "to", e.num("PortRange", "To"), "cidr", cidr, "subnets", subnets)
	}
}

// routeTargets are the keys that can hold the target of a route.
var routeTargets = strings.Fields("NatGatewayId TransitGatewayId VpcPeeringConnectionId NetworkInterfaceId InstanceId EgressOnlyInternetGatewayId LocalGatewayId CarrierGatewayId CoreNetworkArn GatewayId")

func (r *awsReader) routeTable(n *jsonNode) {
	subnets := n.texts("Associations", "SubnetId")
	for _, a := range n.list("Associations") {
		if a.text("Main") == "true" {
			subnets = append(subnets, "main") // every subnet without a table of its own
		}
	}
	for _, route := range n.list("Routes") {
		first := func(keys ...string) (any, *jsonNode) {
			for _, k := range keys {
				if v := route.str(k); v != nil {
					return v, route.get(k)
				}
			}
			return nil, nil
		}
		dst, at := first("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
		target, via := first(routeTargets...)
		r.fact("cloud.route", n.text("RouteTableId"), []*jsonNode{at, via, route.get("State")},
			"dst", dst, "target", target, "state", route.str("State"), "subnets", subnets)
	}
}

func (r *awsReader) networkInterface(n *jsonNode) {
	elastic := any(nil)
	if a := n.get("Association"); a != nil {
		elastic = a.text("AllocationId") != "" || a.text("IpOwnerId") != "" && a.text("IpOwnerId") != "amazon"
	}
	r.fact("cloud.eni", n.text("NetworkInterfaceId"), []*jsonNode{n.get("NetworkInterfaceId"), n.get("Status")},
		"status", n.str("Status"), "instance", n.str("Attachment", "InstanceId"), "private_ip", n.str("PrivateIpAddress"), "addresses", n.texts("PrivateIpAddresses", "PrivateIpAddress"),
		"mac", n.str("MacAddress"), "subnet", n.str("SubnetId"), "groups", n.texts("Groups", "GroupId"), "source_dest_check", n.truth("SourceDestCheck"),
		"public_ip", n.str("Association", "PublicIp"), "elastic_ip", elastic, "tcp_established_timeout", n.num("ConnectionTrackingConfiguration", "TcpEstablishedTimeout"))
}

func (r *awsReader) subnet(n *jsonNode) {
	r.fact("cloud.subnet", n.text("SubnetId"), []*jsonNode{n.get("SubnetId"), n.get("AvailableIpAddressCount")},
		"available", n.num("AvailableIpAddressCount"), "cidr", n.str("CidrBlock"), "zone", n.str("AvailabilityZone"), "zone_id", n.str("AvailabilityZoneId"))
}

func (r *awsReader) vpcDNS(n *jsonNode) {
	r.fact("cloud.vpc_dns", n.text("VpcId"), []*jsonNode{n.get("VpcId"), n.get("EnableDnsSupport", "Value"), n.get("EnableDnsHostnames", "Value")},
		"support", n.truth("EnableDnsSupport", "Value"), "hostnames", n.truth("EnableDnsHostnames", "Value"))
}

func (r *awsReader) mountTarget(n *jsonNode) {
	r.fact("cloud.mount_target", n.text("MountTargetId"), []*jsonNode{n.get("MountTargetId"), n.get("LifeCycleState"), n.get("AvailabilityZoneId")},
		"file_system", n.str("FileSystemId"), "state", n.str("LifeCycleState"), "zone", n.str("AvailabilityZoneName"), "zone_id", n.str("AvailabilityZoneId"),
		"address", n.str("IpAddress"), "subnet", n.str("SubnetId"))
}
