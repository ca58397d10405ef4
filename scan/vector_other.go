//go:build !amd64

package scan

func probes() (coarse, fine probe) { return scalarCoarse, scalarFine }
