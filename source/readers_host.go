package source

// storageReaders are about mounts, file systems and disks.
var storageReaders = []Reader{
	mountStats, mountTable, findmntTable, nfsstatMounts, nfsClientCounters, nfsServers, rpcTasks, straceCalls, mountAttempts, exportList, diskFree,
	blockDevices, blockIdentity, nvmeList, ebsStatistics, diskStats, diskRates,
}

// hostReaders are about the machine, its kernel, memory and tasks.
var hostReaders = []Reader{
	taskStacks, topBatch, processStatus, procTask,
	moduleInfo, loadedModules, moduleVersions, initramfsListing,
	kernelVersion, osRelease, uptimeAndLoad, kernelCommandLine, kernelTaint, virtualisation,
	memInfo, freeMemory, pressureStall, kernelStat, controlGroups, vmStat, interrupts, cpuShares, kernelTables, sysctlValues,
	systemdUnits, containerTables, userLimits, clockSync, clockSources, memoryErrors,
	fileSystemTable, settingsFile, dockerDaemon,
}

// cloudReaders are about what the provider says.
var cloudReaders = []Reader{
	containerJSON, awsAnswers, awsStatusText, awsVolumeText, cloudErrors,
}
