package flowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"

	"ddx/flowsum"
)

// parquet reads a Parquet file: f when the input is a file, else the stream,
// which is first written to a temporary file because the format begins at its
// end. A row group that cannot be read is lost with its exact number of rows;
// the next one is read.
func (w *worker) parquet(ctx context.Context, f *os.File, stream io.Reader, in input, report *FileReport) error {
	size := in.size
	if f == nil || size < 0 {
		spool, n, err := spoolFile(stream)
		if err != nil {
			return err
		}
		defer spool.Close()
		f, size = spool, n
	} else {
		w.q.bytes.Add(size)
	}
	return readParquet(ctx, f, size, w, report)
}

func spoolFile(stream io.Reader) (*os.File, int64, error) {
	spool, err := os.CreateTemp("", "ddx-parquet-*")
	if err != nil {
		return nil, 0, fmt.Errorf("keep piped Parquet data: %w", err)
	}
	n, err := io.Copy(spool, stream)
	if err = errors.Join(err, os.Remove(spool.Name())); err != nil {
		return nil, 0, fmt.Errorf("keep piped Parquet data: %w", errors.Join(err, spool.Close()))
	}
	return spool, n, nil
}

// openParquet opens a file whose footer is untrusted: the library may panic on
// one that lies.
func openParquet(f io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, fmt.Errorf("%v", p)
		}
	}()
	return parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(64<<10))
}

func readParquet(ctx context.Context, f io.ReaderAt, size int64, w *worker, report *FileReport) error {
	file, err := openParquet(f, size)
	if err != nil {
		report.lose(0, 0, size, "unreadable Parquet footer", nil)
		return fmt.Errorf("read Parquet footer in the last bytes before byte %d: %w", size, err)
	}
	var names []string
	for _, path := range file.Schema().Columns() {
		names = append(names, strings.Join(path, "."))
	}
	format, err := ParseFormat(strings.Join(names, " "))
	if err != nil {
		report.lose(0, uint64(max(0, file.NumRows())), size, err.Error(), nil)
		return err
	}
	report.Version = format.Version()
	p := newParquetReader(format, w.flows != nil)
	if w.flows == nil {
		since, until := w.o.span()
		p.fast = newParquetFast(p, since, until)
	}
	var first error
	done := int64(0)
	for i, g := range file.RowGroups() {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.q.parquet <- struct{}{}
		n, err := p.group(g, w, report)
		<-w.q.parquet
		if err != nil {
			err = fmt.Errorf("row group %d, row %d of the file: %w", i, done+n, err)
			report.lose(done+n, uint64(max(0, g.NumRows()-n)), -1, "unreadable row group", nil)
			if first == nil {
				first = err
			}
		}
		done += g.NumRows()
	}
	return first
}

// parquetReader turns columns into rows.
type parquetReader struct {
	columns []*parquetColumn
	index   []int // column in the file of each of columns

	fast *parquetFast // nil when the rows are not for it

	// The current row. Fields that the file lacks keep their first value.
	num  [numFields]uint64
	text [numFields][]byte
	word [numFields]flowsum.Word24
}

func newParquetReader(f *Format, detail bool) *parquetReader {
	p := newLineParser(f, 0, detail)
	want := []field{fieldInterface, fieldResource, fieldSrcAddr, fieldDstAddr, fieldPackets, fieldBytes, fieldStart, fieldEnd,
		fieldAction, fieldStatus, fieldDirection, fieldLostNoRoute, fieldLostBlackhole, fieldLostMTU, fieldLostTTL}
	if detail {
		want = append(want, fieldSrcPort, fieldDstPort, fieldProtocol, fieldTCPFlags, fieldPktSrcAddr, fieldPktDstAddr)
	}
	r := &parquetReader{}
	for i := range r.num {
		r.num[i] = missing
	}
	for _, k := range want {
		if c := p.col[k]; c >= 0 {
			r.columns = append(r.columns, &parquetColumn{field: k})
			r.index = append(r.index, int(c))
		}
	}
	return r
}

// group reads one row group and says how many rows it took of it.
func (p *parquetReader) group(g parquet.RowGroup, w *worker, report *FileReport) (done int64, err error) {
	defer func() {
		if bad := recover(); bad != nil {
			err = fmt.Errorf("%v", bad)
		}
		for _, c := range p.columns {
			c.close()
		}
	}()
	chunks := g.ColumnChunks()
	for i, c := range p.columns {
		c.open(chunks[p.index[i]].Pages())
	}
	var r flowsum.Record
	slow := func(row int) {
		if why := p.row(row, &r); why != "" {
			report.lose(done+int64(row), 1, -1, why, nil)
		} else {
			w.take(&r, report)
		}
	}
	for total := g.NumRows(); done < total; {
		n := min(window, total-done)
		for _, c := range p.columns {
			for c.rows == 0 {
				if err := c.next(); err != nil {
					return done, fmt.Errorf("column %s: %w", fieldName(c.field), err)
				}
			}
			n = min(n, int64(c.rows))
		}
		for _, c := range p.columns {
			if err := c.fill(int(n)); err != nil {
				return done, fmt.Errorf("column %s: %w", fieldName(c.field), err)
			}
		}
		for left := int(n); left > 0; {
			k := 0
			if p.fast != nil {
				rows, counted := p.fast.take(left, w.sums, slow)
				report.Records += counted
				k = rows
			}
			if k < left && k < flowsum.Batch {
				slow(k)
				k++
			}
			p.skip(k)
			done, left = done+int64(k), left-k
		}
	}
	return done, nil
}

// skip steps over n rows.
func (p *parquetReader) skip(n int) {
	for _, c := range p.columns {
		c.pos += n
	}
}

// take passes a record on unless it lies outside the asked time.
func (w *worker) take(r *flowsum.Record, report *FileReport) {
	if since, until := w.o.span(); r.Start < since || r.Start >= until {
		report.Skipped++
		return
	}
	report.Records++
	w.Add(r)
}
