package flowlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"ddx/flowsum"
)

// window is the number of rows that columns are looked at in one go: what is
// kept beside the library's own page stays small.
const window = 2048

// parquetColumn walks the rows of one column of a row group, a window at a time.
type parquetColumn struct {
	field field
	pages parquet.Pages
	page  parquet.Page
	rows  int // of the page that are not in a window yet

	// The page: its levels (nil when no value is null), and its values without
	// the nulls, of which the first are used up: codes of dict's entries, or
	// numbers, or texts.
	levels   []byte
	dict     parquet.Dictionary
	table    []uint64 // the entries of dict, as numbers
	all      []int32
	integers []int64
	shorts   []int32
	data     []byte
	offs     []uint32
	used     int

	// The window.
	pos   int
	nums  []uint64         // numbers and enumerations, one a row; null is missing
	codes []int32          // texts: place in words, one a row; -1 is null
	words []flowsum.Word24 // of the texts of dict, or of the window
	first int              // the place in offs of the first word
}

// maxPageRows bounds a page. Writers make pages of about a megabyte; one that
// claims more rows than this is not worth the memory it asks for.
const maxPageRows = 16 << 20

const missing = math.MaxUint64

func (c *parquetColumn) open(pages parquet.Pages) {
	c.pages, c.rows, c.pos = pages, 0, 0
}

func (c *parquetColumn) close() {
	c.release()
	if c.pages != nil {
		_ = c.pages.Close()
		c.pages = nil
	}
	c.dict = nil
}

// release gives the page back.
func (c *parquetColumn) release() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	c.page, c.levels, c.all, c.integers, c.shorts = nil, nil, nil, nil, nil
}

// next turns to the next page.
func (c *parquetColumn) next() error {
	c.release()
	page, err := c.pages.ReadPage()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	c.page, c.rows, c.used = page, int(page.NumRows()), 0
	if c.rows > maxPageRows {
		return fmt.Errorf("a page of %d rows, more than %d", c.rows, maxPageRows)
	}
	if page.RepetitionLevels() != nil {
		return errors.New("repeated values: not a flow log")
	}
	if page.NumNulls() != 0 {
		if c.levels = page.DefinitionLevels(); len(c.levels) != c.rows {
			return fmt.Errorf("a page of %d rows with %d definition levels", c.rows, len(c.levels))
		}
	}
	values := page.Data()
	if d := page.Dictionary(); d != nil {
		if err := c.dictionary(d); err != nil {
			return err
		}
		c.all = values.Int32()
		return nil
	}
	c.dict = nil
	return c.values(page.Type(), values)
}

// dictionary reads a dictionary once for all its pages.
func (c *parquetColumn) dictionary(d parquet.Dictionary) error {
	if d == c.dict {
		return nil
	}
	c.dict = d
	if err := c.values(d.Type(), d.Page().Data()); err != nil {
		return err
	}
	if c.field.isText() {
		c.texts(0, max(0, len(c.offs)-1))
		return nil
	}
	c.table = grow(c.table, int(d.Page().NumValues()))
	for i := range c.table {
		c.table[i] = c.number(i)
	}
	return nil
}

// values notes the values of a page or dictionary.
func (c *parquetColumn) values(t parquet.Type, data encoding.Values) error {
	c.all, c.integers, c.shorts, c.data, c.offs = nil, nil, nil, nil, nil
	switch kind := t.Kind(); {
	case kind == parquet.ByteArray:
		c.data, c.offs = data.ByteArray()
	case c.field.isText():
		return fmt.Errorf("holds %v, not text", t)
	case kind == parquet.Int32:
		c.shorts = data.Int32()
	case kind == parquet.Int64:
		c.integers = data.Int64()
	default:
		return fmt.Errorf("holds %v, neither a number nor text", t)
	}
	return nil
}

// number gives a value as a number, or as the enumeration that the field is.
func (c *parquetColumn) number(i int) uint64 {
	switch {
	case c.integers != nil:
		return uint64(c.integers[i])
	case c.shorts != nil:
		return uint64(int64(c.shorts[i]))
	}
	return numberOf(c.text(i), c.field)
}

func (c *parquetColumn) text(i int) []byte { return c.data[c.offs[i]:c.offs[i+1]] }

// texts makes words of n values from the first.
func (c *parquetColumn) texts(first, n int) {
	c.first, c.words = first, grow(c.words, n)
	for i := range c.words {
		c.words[i] = flowsum.WordOf(c.text(first + i))
	}
}

// fill fills the window with the next n rows of the page, which has as many. A
// page or a code that lies makes it panic or return an error.
func (c *parquetColumn) fill(n int) error {
	c.pos = 0
	c.rows -= n
	var levels []byte
	values := n
	if c.levels != nil {
		levels, c.levels = c.levels[:n], c.levels[n:]
		values -= bytes.Count(levels, []byte{0})
	}
	from := c.used
	c.used += values
	if c.field.isText() {
		c.codes = grow(c.codes, n)
		if c.dict != nil {
			if err := bounded(c.all[from:c.used], len(c.words)); err != nil {
				return err
			}
			copy(c.codes, c.all[from:c.used])
		} else {
			c.texts(from, values)
			for i := range values {
				c.codes[i] = int32(i)
			}
		}
		spread(c.codes, levels, values, -1)
		return nil
	}
	c.nums = grow(c.nums, n)
	switch {
	case c.dict != nil:
		for i, k := range c.all[from:c.used] {
			c.nums[i] = c.table[k]
		}
	case c.integers != nil:
		for i, v := range c.integers[from:c.used] {
			c.nums[i] = uint64(v)
		}
	default:
		for i := range values {
			c.nums[i] = c.number(from + i)
		}
	}
	spread(c.nums, levels, values, missing)
	return nil
}

// spread moves the first n entries, which are values without their nulls, to
// their rows.
func spread[T any](into []T, levels []byte, n int, null T) {
	for i := len(levels) - 1; i >= n; i-- {
		if levels[i] == 0 {
			into[i] = null
			continue
		}
		n--
		into[i] = into[n]
	}
}

// bounded refuses codes that point outside the dictionary.
func bounded(codes []int32, n int) error {
	for _, k := range codes {
		if uint(k) >= uint(n) {
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

func (k field) isText() bool {
	switch k {
	case fieldInterface, fieldResource, fieldSrcAddr, fieldDstAddr, fieldPktSrcAddr, fieldPktDstAddr:
		return true
	}
	return false
}
