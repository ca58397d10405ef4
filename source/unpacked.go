package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ddx"
)

// unpacked reads a bundle that somebody unpacked into a folder, as if it were
// still packed. It reports whether the folder is one. Paths of the index that
// lead out of the folder are not followed.
func (c *collector) unpacked(root *os.Root, p string) (bool, error) {
	index, err := root.Open(bundleIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("read bundle %s: %w", p, err)
	}
	defer index.Close()
	t, err := readRecords(index)
	if err != nil {
		return true, fmt.Errorf("read bundle %s: %s: %w", p, bundleIndex, err)
	}
	for i, file := range t.files {
		if file == "" {
			continue
		}
		it := &t.Items[i]
		f, err := root.Open(file)
		if err != nil {
			it.Absent, it.Detail = ddx.NotReadable, fmt.Sprintf("bundle %s: %v", p, err)
			continue
		}
		err = c.spool.store(it, contextReader{c.ctx, f})
		f.Close()
		if err != nil {
			it.Absent, it.Detail = ddx.NotReadable, fmt.Sprintf("bundle %s: after %d bytes of it: %v", p, it.Size, err)
		}
	}
	c.bundles = append(c.bundles, t.Take)
	return true, nil
}
