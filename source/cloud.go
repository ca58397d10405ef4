package source

import (
	"slices"
	"strings"
	"time"

	"ddx"
)

// awsAnswers reads the JSON that the aws CLI prints. Objects are known by
// their own keys, not by the list that holds them, so that output cut down by
// --query or pasted in part is read as well.
var awsAnswers = Reader{
	Name: "aws-json", Doc: "aws CLI JSON: instances, status, volumes, security groups, ACLs, routes, interfaces, subnets, mount targets, metrics, health events",
	Kinds: []string{"cloud.instance", "cloud.status", "cloud.event", "cloud.volume", "cloud.sg", "cloud.sg.rule", "cloud.nacl.entry", "cloud.route", "cloud.eni", "cloud.subnet", "cloud.mount_target", "cloud.metric", "cloud.vpc_dns"},
	Match: func(name string, head []byte) bool {
		start, _ := jsonStart(head)
		if cutOut.Match(head) {
			start = 0
		}
		return start >= 0 && awsKeys.Match(head[start:])
	},
	Read: func(it *Item, emit func(ddx.Fact)) error {
		docs, err := it.readJSON()
		r := &awsReader{it: it, emit: emit}
		for _, d := range docs {
			r.walk(d)
		}
		return err
	},
}

var awsKeys = lazy(`"(?:Reservations|InstanceStatuses|InstanceStatus|Volumes|Attachments|VolumeStatuses|VolumeType|SecurityGroups|IpPermissions|SecurityGroupRules|SecurityGroupRuleId|NetworkAcls|NetworkAclId|RouteTables|RouteTableId|NetworkInterfaces|NetworkInterfaceId|AvailableIpAddressCount|MountTargets|MountTargetId|MetadataOptions|HttpPutResponseHopLimit|AttachTime|SystemStatus|AutoScalingInstances|Datapoints|MetricDataResults|eventTypeCode|EnableDnsSupport|EnableDnsHostnames|noticeTime|instance-action|NotBefore|pendingTime|EventStatus)"\s*:|^\s*\{\s*"action"\s*:\s*"(?:terminate|stop|hibernate)"`)

type awsReader struct {
	it   *Item
	emit func(ddx.Fact)
}

// awsShapes lists the objects that are known, by the keys that tell them, most
// specific first.
var awsShapes = []struct {
	keys []string
	read func(*awsReader, *jsonNode)
}{
	{[]string{"InstanceId", "SystemStatus"}, (*awsReader).status},
	{[]string{"InstanceStatus", "SystemStatus"}, (*awsReader).status},
	{[]string{"InstanceId", "InstanceType", "State"}, (*awsReader).instance},
	{[]string{"InstanceId", "AutoScalingGroupName"}, (*awsReader).autoScaling},
	{[]string{"instanceId", "instanceType", "region"}, (*awsReader).identity},
	{[]string{"VolumeId", "VolumeStatus"}, (*awsReader).volumeStatus},
	{[]string{"VolumeId", "VolumeType", "State"}, (*awsReader).volume},
	{[]string{"VolumeId", "Attachments"}, (*awsReader).volume}, // cut down by --query
	{[]string{"VolumeId", "AttachTime", "State"}, (*awsReader).attachment},
	{[]string{"VolumeId", "InstanceId", "State"}, (*awsReader).attachment},
	{[]string{"HttpTokens", "HttpPutResponseHopLimit"}, (*awsReader).metadataOptions},
	{[]string{"GroupId", "IpPermissions"}, (*awsReader).securityGroup},
	{[]string{"SecurityGroupRuleId", "IpProtocol"}, (*awsReader).securityGroupRule},
	{[]string{"NetworkAclId", "Entries"}, (*awsReader).networkACL},
	{[]string{"RouteTableId", "Routes"}, (*awsReader).routeTable},
	{[]string{"MountTargetId", "FileSystemId"}, (*awsReader).mountTarget},
	{[]string{"SubnetId", "AvailableIpAddressCount"}, (*awsReader).subnet},
	{[]string{"NetworkInterfaceId", "Status"}, (*awsReader).networkInterface},
	{[]string{"VpcId", "EnableDnsSupport"}, (*awsReader).vpcDNS},
	{[]string{"VpcId", "EnableDnsHostnames"}, (*awsReader).vpcDNS},
	{[]string{"Label", "Datapoints"}, (*awsReader).datapoints},
	{[]string{"Id", "Label", "Values"}, (*awsReader).metricData},
	{[]string{"eventTypeCode"}, (*awsReader).healthEvent},
	{[]string{"Code", "NotBefore"}, (*awsReader).maintenance},
	{[]string{"EventType", "EventStatus", "Resources"}, (*awsReader).azureEvent},
	{[]string{"action", "time"}, (*awsReader).spotAction},
	{[]string{"noticeTime"}, (*awsReader).rebalance},
	{[]string{"detail-type", "detail"}, (*awsReader).eventBridge},
}

func (r *awsReader) walk(n *jsonNode) {
	for _, shape := range awsShapes {
		if n.fields != nil && !slices.ContainsFunc(shape.keys, func(k string) bool { return n.fields[k] == nil }) {
			shape.read(r, n)
			return
		}
	}
	for _, k := range n.keys {
		if c := n.fields[k]; c != nil {
			r.walk(c)
		}
	}
	for _, c := range n.items {
		r.walk(c)
	}
}

func (r *awsReader) fact(kind, id string, at []*jsonNode, fields ...any) {
	r.emit(r.it.jsonFact(kind, instanceSubject(id), at, fields...))
}

// regionOf cuts the letter off the name of an availability zone. Local and
// wavelength zones have longer names and no region to be read off.
func regionOf(zone string) any {
	if m := zoneName.FindStringSubmatch(zone); m != nil {
		return m[1]
	}
	return nil
}

var (
	zoneName   = lazy(`^([a-z]{2}(?:-[a-z]+)+-\d+)[a-z]$`)
	familyName = lazy(`^([a-z]+)(\d+)([a-z-]*)[\w-]*\.(\S+)$`)
)

// xenFamilies are the instance families of the Xen hypervisor. The API calls
// the hypervisor of all instances xen, so only the type tells.
var xenFamilies = strings.Fields("t1 t2 m1 m2 m3 m4 c1 c3 c4 cc1 cc2 cg1 cr1 r3 r4 x1 x1e i2 i3 d2 h1 hi1 hs1 g2 g3 g3s p2 p3 f1")

// hypervisorOfType tells nitro from xen by the instance type.
func hypervisorOfType(instanceType string) any {
	family, size, ok := strings.Cut(instanceType, ".")
	if !ok || !familyName.MatchString(instanceType) {
		return nil
	}
	if slices.Contains(xenFamilies, family) && !strings.HasPrefix(size, "metal") {
		return "xen"
	}
	return "nitro"
}

// instanceStoreOfType tells whether a type comes with instance-store volumes;
// nil where the name does not say.
func instanceStoreOfType(instanceType string) any {
	m := familyName.FindStringSubmatch(instanceType)
	if m == nil {
		return nil
	}
	family, generation, suffix := m[1], m[2], m[3]
	switch {
	case strings.Contains(suffix, "d") || slices.Contains([]string{"i", "d", "h", "is", "im", "hs", "hi"}, family):
		return true
	case slices.Contains([]string{"m1", "m2", "m3", "c1", "c3", "r3", "x1"}, family+generation):
		return true
	case slices.Contains([]string{"c", "m", "r", "t", "a"}, family):
		return false
	}
	return nil
}

func (r *awsReader) instance(n *jsonNode) {
	tag := func(key string) any {
		for _, t := range n.list("Tags") {
			if t.text("Key") == key {
				return t.str("Value")
			}
		}
		return nil
	}
	kind, zone := n.text("InstanceType"), n.text("Placement", "AvailabilityZone")
	elastic := any(nil)
	interfaces := n.list("NetworkInterfaces")
	for _, i := range interfaces {
		if owner := i.text("Association", "IpOwnerId"); owner != "" && elastic != true {
			elastic = owner != "amazon"
		}
	}
	count := any(nil)
	if n.get("NetworkInterfaces") != nil {
		count = int64(len(interfaces))
	}
	store := instanceStoreOfType(kind)
	if n.text("RootDeviceType") == "instance-store" {
		store = true
	}
	r.fact("cloud.instance", n.text("InstanceId"), []*jsonNode{n.get("InstanceId"), n.get("InstanceType"), n.get("State", "Name")},
		"type", asText(kind), "zone", asText(zone), "region", regionOf(zone), "state", n.str("State", "Name"), "image", n.str("ImageId"),
		"lifecycle", n.str("InstanceLifecycle"), "root_device_type", n.str("RootDeviceType"), "hypervisor", hypervisorOfType(kind),
		"ena", n.truth("EnaSupport"), "sriov", n.str("SriovNetSupport"), "public_ip", n.str("PublicIpAddress"), "elastic_ip", elastic,
		"private_ip", n.str("PrivateIpAddress"), "subnet", n.str("SubnetId"), "vpc", n.str("VpcId"), "security_groups", n.texts("SecurityGroups", "GroupId"),
		"asg", tag("aws:autoscaling:groupName"), "interfaces", count, "instance_store", store, "tenancy", n.str("Placement", "Tenancy"),
		"source_dest_check", n.truth("SourceDestCheck"), "imds_hop_limit", n.num("MetadataOptions", "HttpPutResponseHopLimit"),
		"imds_tokens", n.str("MetadataOptions", "HttpTokens"), "imds_endpoint", n.str("MetadataOptions", "HttpEndpoint"),
		"launched", n.str("LaunchTime"), "state_reason", n.str("StateReason", "Message"), "tags_name", tag("Name"))
}

func (r *awsReader) identity(n *jsonNode) {
	kind := n.text("instanceType")
	r.fact("cloud.instance", n.text("instanceId"), []*jsonNode{n.get("instanceId"), n.get("instanceType")},
		"type", kind, "zone", n.str("availabilityZone"), "region", n.str("region"), "image", n.str("imageId"), "private_ip", n.str("privateIp"),
		"hypervisor", hypervisorOfType(kind), "instance_store", instanceStoreOfType(kind))
}

func (r *awsReader) autoScaling(n *jsonNode) {
	r.fact("cloud.instance", n.text("InstanceId"), []*jsonNode{n.get("InstanceId"), n.get("AutoScalingGroupName")},
		"asg", n.str("AutoScalingGroupName"), "zone", n.str("AvailabilityZone"), "type", n.str("InstanceType"))
}

func (r *awsReader) status(n *jsonNode) {
	id := n.text("InstanceId")
	at := []*jsonNode{n.get("InstanceId"), n.get("SystemStatus", "Status"), n.get("InstanceStatus", "Status"), n.get("AttachedEbsStatus", "Status")}
	since := any(nil)
	for _, check := range []string{"SystemStatus", "InstanceStatus", "AttachedEbsStatus"} {
		for _, d := range n.list(check, "Details") {
			if s := d.get("ImpairedSince"); s != nil && since == nil {
				since, at = s.text(), append(at, s)
			}
		}
	}
	r.fact("cloud.status", id, at, "system", n.str("SystemStatus", "Status"), "instance", n.str("InstanceStatus", "Status"),
		"ebs", n.str("AttachedEbsStatus", "Status"), "impaired_since", since, "state", n.str("InstanceState", "Name"))
	for _, e := range n.list("Events") {
		r.event(id, e, n.str("AvailabilityZone"))
	}
}

// event states a scheduled event. Completed and cancelled ones stay listed for
// a week, marked in their description.
func (r *awsReader) event(id string, e *jsonNode, zone any) {
	description := e.text("Description")
	completed := strings.HasPrefix(description, "[Completed]") || strings.HasPrefix(description, "[Canceled]") || e.text("State") == "completed" || e.text("State") == "canceled"
	r.fact("cloud.event", id, []*jsonNode{e.get("Code"), e.get("Description"), e.get("NotBefore")},
		"code", e.str("Code"), "description", asText(description), "not_before", e.str("NotBefore"), "completed", completed, "scope", "instance", "service", "EC2", "zone", zone)
}

// attachment states an attachment that stands without its volume, as
// attach-volume and detach-volume answer it.
func (r *awsReader) attachment(n *jsonNode) {
	r.fact("cloud.volume", n.text("VolumeId"), []*jsonNode{n.get("VolumeId"), n.get("State")},
		"attachment", n.str("State"), "instance", n.str("InstanceId"), "device", n.str("Device"))
}

// metadataOptions states the options of an instance that stand without it.
func (r *awsReader) metadataOptions(n *jsonNode) {
	r.fact("cloud.instance", "", []*jsonNode{n.get("HttpTokens"), n.get("HttpPutResponseHopLimit"), n.get("HttpEndpoint")},
		"imds_hop_limit", n.num("HttpPutResponseHopLimit"), "imds_tokens", n.str("HttpTokens"), "imds_endpoint", n.str("HttpEndpoint"))
}

func (r *awsReader) volume(n *jsonNode) {
	attachments := n.list("Attachments")
	var a *jsonNode
	for _, x := range attachments {
		if a == nil || x.text("State") != "attached" {
			a = x // one that is under way says more than one that stands
		}
	}
	attaching := any(nil)
	if t, err := time.Parse(time.RFC3339, a.text("AttachTime")); err == nil && a.text("State") == "attaching" && !r.it.Time.IsZero() {
		attaching = r.it.Time.Sub(t).Seconds()
	}
	count := any(nil)
	if n.get("Attachments") != nil {
		count = int64(len(attachments))
	}
	r.fact("cloud.volume", n.text("VolumeId"), []*jsonNode{n.get("VolumeId"), n.get("State"), a.get("State")},
		"state", n.str("State"), "attachment", a.str("State"), "instance", a.str("InstanceId"), "device", a.str("Device"), "type", n.str("VolumeType"),
		"size", n.num("Size"), "iops", n.num("Iops"), "zone", n.str("AvailabilityZone"), "attachments", count, "attaching_seconds", attaching)
}

func (r *awsReader) volumeStatus(n *jsonNode) {
	r.fact("cloud.volume", n.text("VolumeId"), []*jsonNode{n.get("VolumeId"), n.get("VolumeStatus", "Status")},
		"io_status", n.str("VolumeStatus", "Status"), "zone", n.str("AvailabilityZone"))
	for _, e := range n.list("Events") {
		r.fact("cloud.event", n.text("VolumeId"), []*jsonNode{e.get("EventType"), e.get("Description")},
			"code", e.str("EventType"), "description", e.str("Description"), "not_before", e.str("NotBefore"), "scope", "instance", "service", "EBS")
	}
}
