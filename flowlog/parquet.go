package flowlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"
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
		return fmt.Errorf("Parquet footer in the last bytes before byte %d: %w", size, err)
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
	var first error
	done := int64(0)
	for i, g := range file.RowGroups() {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := p.group(g, w, report)
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

// parquetColumn walks the pages of one column of a row group.
type parquetColumn struct {
	field field
	pages parquet.Pages
	page  parquet.Page
	pos   int // next row of the page
	rows  int
	nums  []uint64 // numbers and enumerations, one a row; null is missing
	codes []int32  // texts: place in offsets, one a row; -1 is null
	data  []byte
	offs  []uint32
}

// maxPageRows bounds a page. Writers make pages of about a megabyte; one that
// claims more rows than this is not worth the memory it asks for.
const maxPageRows = 16 << 20

const missing = math.MaxUint64

// parquetReader turns columns into rows.
type parquetReader struct {
	columns []*parquetColumn
	index   []int // column in the file of each of columns
}

func newParquetReader(f *Format, detail bool) *parquetReader {
	p := newLineParser(f, 0, detail)
	want := []field{fieldInterface, fieldResource, fieldSrcAddr, fieldDstAddr, fieldPackets, fieldBytes, fieldStart, fieldEnd,
		fieldAction, fieldStatus, fieldDirection, fieldLostNoRoute, fieldLostBlackhole, fieldLostMTU, fieldLostTTL}
	if detail {
		want = append(want, fieldSrcPort, fieldDstPort, fieldProtocol, fieldTCPFlags, fieldPktSrcAddr, fieldPktDstAddr)
	}
	r := &parquetReader{}
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
		c.pages, c.pos, c.rows = chunks[p.index[i]].Pages(), 0, 0
	}
	var r row
	for total := g.NumRows(); done < total; {
		n := total - done
		for _, c := range p.columns {
			for c.pos == c.rows {
				if err := c.load(); err != nil {
					return done, fmt.Errorf("column %s: %w", fieldName(c.field), err)
				}
			}
			n = min(n, int64(c.rows-c.pos))
		}
		for range n {
			if why := p.row(&r); why != "" {
				report.lose(done, 1, -1, why, nil)
			} else {
				r.words()
				w.take(&r, report)
			}
			done++
		}
	}
	return done, nil
}

// take passes a record on unless it lies outside the asked time.
func (w *worker) take(r *row, report *FileReport) {
	if t := int64(r.start); !w.o.Since.IsZero() && t < w.o.Since.Unix() || !w.o.Until.IsZero() && t >= w.o.Until.Unix() {
		report.Skipped++
		return
	}
	report.Records++
	w.add(r)
}

func (c *parquetColumn) close() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	if c.pages != nil {
		_ = c.pages.Close()
		c.pages = nil
	}
}

// load decodes the next page into one entry a row.
func (c *parquetColumn) load() error {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	page, err := c.pages.ReadPage()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	c.page, c.pos, c.rows = page, 0, int(page.NumRows())
	if c.rows > maxPageRows {
		return fmt.Errorf("a page of %d rows, more than %d", c.rows, maxPageRows)
	}
	levels := page.DefinitionLevels()
	if page.RepetitionLevels() != nil {
		return errors.New("repeated values: not a flow log")
	}
	values := page.Data()
	if d := page.Dictionary(); d != nil {
		codes := values.Int32()
		entries := d.Page().Data()
		if c.field.isText() {
			c.data, c.offs = entries.ByteArray()
			c.codes = spread(c.codes, codes, levels, c.rows, -1)
			return bounded(c.codes, len(c.offs)-1)
		}
		table, err := numbersOf(d.Type(), d.Page(), c.field)
		if err != nil {
			return err
		}
		c.codes = spread(c.codes, codes, levels, c.rows, -1)
		if err := bounded(c.codes, len(table)); err != nil {
			return err
		}
		c.nums = grow(c.nums, c.rows)
		for i, k := range c.codes {
			c.nums[i] = missing
			if k >= 0 {
				c.nums[i] = table[k]
			}
		}
		return nil
	}
	if c.field.isText() {
		if page.Type().Kind() != parquet.ByteArray {
			return fmt.Errorf("holds %v, not text", page.Type())
		}
		c.data, c.offs = values.ByteArray()
		c.codes = spread(c.codes, nil, levels, c.rows, -1)
		return bounded(c.codes, len(c.offs)-1)
	}
	nums, err := numbersOf(page.Type(), page, c.field)
	if err != nil {
		return err
	}
	c.nums = spread(c.nums, nums, levels, c.rows, missing)
	return nil
}

// bounded refuses codes that point outside the dictionary.
func bounded(codes []int32, n int) error {
	for _, k := range codes {
		if int(k) >= n {
			return fmt.Errorf("code %d points outside a dictionary of %d", k, n)
		}
	}
	return nil
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// spread puts values, which a page holds without its nulls, in their rows.
// Without values they are numbered.
func spread[T int32 | uint64](into, values []T, levels []byte, rows int, null T) []T {
	into = grow(into, rows)
	if levels == nil && values != nil {
		copy(into, values)
		return into
	}
	next := 0
	for i := range into {
		switch {
		case levels != nil && levels[i] == 0:
			into[i] = null
			continue
		case values != nil:
			into[i] = values[next]
		default:
			into[i] = T(next)
		}
		next++
	}
	return into
}

func (k field) isText() bool {
	switch k {
	case fieldInterface, fieldResource, fieldSrcAddr, fieldDstAddr, fieldPktSrcAddr, fieldPktDstAddr:
		return true
	}
	return false
}

// numbersOf reads the values of a page (without its nulls) as numbers, or as
// the enumeration that the field is.
func numbersOf(t parquet.Type, page parquet.Page, k field) ([]uint64, error) {
	values := page.Data()
	var out []uint64
	switch t.Kind() {
	case parquet.Int32:
		for _, v := range values.Int32() {
			out = append(out, uint64(int64(v)))
		}
	case parquet.Int64:
		for _, v := range values.Int64() {
			out = append(out, uint64(v))
		}
	case parquet.ByteArray:
		data, offs := values.ByteArray()
		for i := range len(offs) - 1 {
			out = append(out, numberOf(data[offs[i]:offs[i+1]], k))
		}
	default:
		return nil, fmt.Errorf("holds %v, neither a number nor text", t)
	}
	return out, nil
}
