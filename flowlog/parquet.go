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
	dict  parquet.Dictionary // of which table, or data, offs and words, are
	pos   int                // next row of the page
	rows  int
	nums  []uint64 // numbers and enumerations, one a row; null is missing
	table []uint64 // numbers of the dictionary
	codes []int32  // texts: place in offs and words, one a row; -1 is null
	own   []int32  // memory for codes, where the page's own cannot be used
	data  []byte
	offs  []uint32
	words []flowsum.Word24
}

// maxPageRows bounds a page. Writers make pages of about a megabyte; one that
// claims more rows than this is not worth the memory it asks for.
const maxPageRows = 16 << 20

const missing = math.MaxUint64

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
		c.pages, c.pos, c.rows = chunks[p.index[i]].Pages(), 0, 0
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
		n := total - done
		for _, c := range p.columns {
			for c.pos == c.rows {
				if err := c.load(); err != nil {
					return done, fmt.Errorf("column %s: %w", fieldName(c.field), err)
				}
			}
			n = min(n, int64(c.rows-c.pos))
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

func (c *parquetColumn) close() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
	if c.pages != nil {
		_ = c.pages.Close()
		c.pages = nil
	}
	c.dict = nil
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
	if levels != nil && page.NumNulls() == 0 {
		levels = nil
	}
	if d := page.Dictionary(); d != nil {
		if err := c.dictionary(d); err != nil {
			return err
		}
		if c.codes = values.Int32(); levels != nil || len(c.codes) != c.rows {
			c.own = spread(c.own, c.codes, levels, c.rows, -1)
			c.codes = c.own
		}
		if c.field.isText() {
			return bounded(c.codes, len(c.offs)-1)
		}
		if err := bounded(c.codes, len(c.table)); err != nil {
			return err
		}
		c.nums = grow(c.nums, c.rows)
		for i, k := range c.codes {
			c.nums[i] = missing
			if k >= 0 {
				c.nums[i] = c.table[k]
			}
		}
		return nil
	}
	c.dict = nil
	if c.field.isText() {
		if page.Type().Kind() != parquet.ByteArray {
			return fmt.Errorf("holds %v, not text", page.Type())
		}
		c.texts(values.ByteArray())
		c.own = spread(c.own, nil, levels, c.rows, -1)
		c.codes = c.own
		return bounded(c.codes, len(c.offs)-1)
	}
	c.table, err = numbersOf(c.table[:0], page.Type(), page, c.field)
	if err != nil {
		return err
	}
	if levels == nil && len(c.table) == c.rows {
		c.nums, c.table = c.table, c.nums
		return nil
	}
	c.nums = spread(c.nums, c.table, levels, c.rows, missing)
	return nil
}

// dictionary reads a dictionary once for all its pages.
func (c *parquetColumn) dictionary(d parquet.Dictionary) (err error) {
	if d == c.dict {
		return nil
	}
	c.dict = d
	if !c.field.isText() {
		c.table, err = numbersOf(c.table[:0], d.Type(), d.Page(), c.field)
		return err
	}
	if d.Type().Kind() != parquet.ByteArray {
		return fmt.Errorf("holds %v, not text", d.Type())
	}
	entries := d.Page().Data()
	c.texts(entries.ByteArray())
	return nil
}

// texts notes the values of a page or dictionary, and each as a word.
func (c *parquetColumn) texts(data []byte, offs []uint32) {
	c.data, c.offs = data, offs
	c.words = c.words[:0]
	for i := range len(offs) - 1 {
		c.words = append(c.words, flowsum.WordOf(data[offs[i]:offs[i+1]]))
	}
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
// the enumeration that the field is, and appends them to out.
func numbersOf(out []uint64, t parquet.Type, page parquet.Page, k field) ([]uint64, error) {
	values := page.Data()
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
		return out, fmt.Errorf("holds %v, neither a number nor text", t)
	}
	return out, nil
}
