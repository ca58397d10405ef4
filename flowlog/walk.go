package flowlog

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// input is one file to read.
type input struct {
	path   string
	size   int64
	source string // flow-log id of the name, "" when the name has none
}

// objectName is the name of an object that the flow-log service delivers:
// account_vpcflowlogs_region_fl-id_YYYYMMDDTHHmmZ_hash.log.gz, with an extra
// day and hour under Hive-compatible keys.
// Source: "Flow log files" of the Amazon VPC user guide.
var objectName = regexp.MustCompile(`^\d{12}_(?:vpcflowlogs|transitgatewayflowlogs|vpctransitgatewayflowlogs)_[a-z0-9-]+_(fl-[0-9a-f]+)_\d{8}T\d{4}Z_[0-9a-f]+\.log(?:\.gz|\.parquet)*$`)

// flowLogID reads the flow-log id from the name of a delivered object.
func flowLogID(base string) string {
	if m := objectName.FindStringSubmatch(base); m != nil {
		return m[1]
	}
	return ""
}

// walk finds the files below paths. Of a directory every regular file is
// taken, in the order of names, whatever its depth: AWSLogs/account/vpcflowlogs/
// region/year/month/day and the Hive-compatible spelling are the same to it.
// An object that is met a second time (the same delivered name and size under
// another directory) is left out and returned in repeated.
func walk(paths []string) (found []input, repeated []string, err error) {
	type object struct {
		base string
		size int64
	}
	have := map[object]bool{}
	files := map[string]bool{}
	take := func(path string, size int64) {
		base := filepath.Base(path)
		in := input{path, size, flowLogID(base)}
		clean := filepath.Clean(path)
		if files[clean] || in.source != "" && have[object{base, size}] {
			repeated = append(repeated, path)
			return
		}
		files[clean], have[object{base, size}] = true, true
		found = append(found, in)
	}
	for _, p := range paths {
		if p == "-" {
			found = append(found, input{path: "-", size: -1})
			continue
		}
		info, err := os.Stat(p)
		if err != nil {
			return nil, nil, fmt.Errorf("read flow logs: %w", err)
		}
		if !info.IsDir() {
			size := info.Size()
			if !info.Mode().IsRegular() {
				size = -1
			}
			take(p, size)
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.Type().IsRegular() {
				info, err := d.Info()
				if err != nil {
					return err
				}
				take(path, info.Size())
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("read flow logs: list %s: %w", p, err)
		}
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("read flow logs: no file below %q: give flow-log files, a directory of them, or - for a pipe", paths)
	}
	// Large files first: the last worker to finish then finishes soonest.
	slices.SortStableFunc(found, func(a, b input) int {
		switch {
		case a.size > b.size:
			return -1
		case a.size < b.size:
			return 1
		}
		return 0
	})
	return found, repeated, nil
}
