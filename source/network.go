package source

// networkReaders are the readers of interfaces, routing, netfilter, sockets,
// names and probes, most specific first.
var networkReaders = []Reader{
	ethtoolDriver,
	ethtoolRings,
	ethtoolChannels,
	ethtoolCoalesce,
	ethtoolFeatures,
	ethtoolSettings,
	ethtoolPermanent,
	ethtoolStatistics,
	ipLink,
	ipLinkJSON,
	ifconfigReader,
	procNetDev,
	netstatInterfaces,
	sysClassNet,
}
