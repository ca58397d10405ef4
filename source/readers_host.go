package source

// storageReaders are about mounts, file systems and disks.
var storageReaders = []Reader{
	mountStats, mountTable, findmntTable, nfsstatMounts, nfsClientCounters, nfsServers, rpcTasks, straceCalls, mountAttempts, exportList, diskFree,
}

// hostReaders are about the machine, its kernel, memory and tasks.
var hostReaders = []Reader{
	taskStacks, processStatus, procTask,
}

// cloudReaders are about what the provider says.
var cloudReaders = []Reader{}
