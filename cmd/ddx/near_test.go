package main

import (
	"slices"
	"testing"
)

func TestNear(t *testing.T) {
	names := []string{"nfs41-mount-hang", "nfs-stale-handle", "nvme-io-timeout", "disk-full"}
	for _, c := range []struct {
		asked string
		want  []string
	}{
		{"nfs41-mount-hung", []string{"nfs41-mount-hang"}},
		{"NVME-IO-TIMEOUT", []string{"nvme-io-timeout"}},
		{"dsk-full", []string{"disk-full"}},
		{"nfs", []string{"nfs41-mount-hang", "nfs-stale-handle"}},
		{"kubernetes", nil},
		{"", nil},
	} {
		if got := near(c.asked, names); !slices.Equal(got, c.want) {
			t.Errorf("near %q is %q, want %q", c.asked, got, c.want)
		}
	}
}
