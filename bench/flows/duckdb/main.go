// Duckdb answers the benchmark's question with DuckDB: sums per interface,
// minute, direction and action, written as CSV. It is a module of its own
// because DuckDB needs cgo, which the product does not.
package main

import (
	"database/sql"
	"flag"
	"fmt"
	"log"
	"os"

	_ "github.com/duckdb/duckdb-go/v2"
)

func main() {
	log.SetFlags(0)
	addresses := flag.String("addresses", "", "CSV of interface and address")
	kind := flag.String("kind", "text", "text, gzip or parquet")
	threads := flag.Int("threads", 2, "threads")
	export := flag.String("export", "", "instead of answering, write the records as Parquet files to this directory")
	flag.Parse()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fmt.Sprintf("SET threads=%d", *threads)); err != nil {
		log.Fatal(err)
	}
	if *export != "" {
		err = write(db, *export, flag.Args())
	} else {
		err = answer(db, *addresses, *kind, flag.Arg(0))
	}
	if err != nil {
		log.Fatal(err)
	}
}

// from is the table expression for files of a kind. Types are given, so that
// nothing is spent on guessing them; a hyphen is null.
func from(kind, glob string) string {
	if kind == "parquet" {
		return fmt.Sprintf("read_parquet('%s')", glob)
	}
	return fmt.Sprintf(`read_csv('%s', delim=' ', header=true, nullstr='-', auto_detect=false, quote='', escape='', columns={
		'version':'INTEGER','account_id':'VARCHAR','interface_id':'VARCHAR','srcaddr':'VARCHAR','dstaddr':'VARCHAR','srcport':'INTEGER','dstport':'INTEGER',
		'protocol':'INTEGER','packets':'BIGINT','bytes':'BIGINT','start':'BIGINT','end':'BIGINT','action':'VARCHAR','log_status':'VARCHAR'})`, glob)
}

func answer(db *sql.DB, addresses, kind, glob string) error {
	// DuckDB writes its own answer: its rows need not pass through Go. Without a
	// temporary file: it would be moved to where /dev/stdout is.
	_, err := db.Exec(fmt.Sprintf(`COPY (SELECT interface_id, start - start %% 60 AS minute,
		CASE WHEN dstaddr = addr THEN 'ingress' WHEN srcaddr = addr THEN 'egress' ELSE 'unknown' END AS direction, action,
		CAST(sum(packets) AS BIGINT), CAST(sum(bytes) AS BIGINT), count(*)
		FROM %s AS f LEFT JOIN read_csv('%s', header=true, columns={'eni':'VARCHAR','addr':'VARCHAR'}) AS a ON f.interface_id = a.eni
		WHERE log_status = 'OK' GROUP BY ALL) TO '/dev/stdout' (FORMAT csv, HEADER false, USE_TMP_FILE false)`, from(kind, glob), addresses))
	return err
}

func write(db *sql.DB, dir string, paths []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, p := range paths {
		if _, err := db.Exec(fmt.Sprintf("COPY (SELECT * FROM %s) TO '%s/flows-%02d.parquet' (FORMAT parquet, COMPRESSION snappy)", from("text", p), dir, i)); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return nil
}
