package source

import (
	"strconv"
	"strings"

	"ddx"
)

var imdsReader = Reader{
	Name: "imds", Doc: "curl or wget of the instance metadata service, with or without -v, and the events and identity it answers with",
	Kinds: []string{"imds", "cloud.event", "cloud.instance"},
	Match: func(name string, head []byte) bool {
		return imdsCommand.MatchString(name) || imdsPasted(name, head) || len(head) < imdsMostError && imdsClient.Match(head)
	},
	Read: readIMDS,
}

const imdsHost = `(?:169\.254\.169\.254|\[?fd00:ec2::254\]?)`

var (
	imdsCommand = lazy(`\b(?:curl|wget)\b.*` + imdsHost)
	imdsPasted  = anyLine(`^[^\n]*\b(?:curl|wget)\b[^\n]*` + imdsHost + `|^\s*--\d{4}-[-\d: ]*--  http://` + imdsHost + `|^> (?:GET|PUT) /latest/|^\* +(?:Trying|Connected to) ` + imdsHost + `|curl: \(\d+\) [^\n]*` + imdsHost)
	imdsURL     = lazy(imdsHost + `(?::80)?(/[^\s'"` + "`" + `)|]*)?`)
	imdsRequest = lazy(`^\s*> (?:GET|PUT) (\S+) HTTP/`)
	imdsStatus  = lazy(`^\s*(?:(?:< )?HTTP/[\d.]+|HTTP request sent, awaiting response\.\.\.|wget: server returned error: HTTP/[\d.]+) (\d{3})`)
	imdsTitle   = lazy(`<title>(\d{3}) `)
	imdsFailure = lazy(`^\s*(?:curl: \(\d+\) .*|wget: .*|.*\.\.\. failed: .*|EC2MetadataError.*)$`)
	wgetStart   = lazy(`^\s*--\d{4}-[-\d: ]*--  http://` + imdsHost + `(/\S*)`)
	wgetChatter = lazy(`^\s*(?:Connecting to |Length: |Saving to: |Username/Password Authentication Failed)`)
	imdsCode    = lazy(`^\s*([1-5]\d\d)\s*$`)
)

// imdsRun is one request while its lines are read. Tokens and credentials are
// never taken as a value.
type imdsRun struct {
	fact *ddx.Fact
}

func (r *imdsRun) finish(emit func(ddx.Fact)) {
	if r.fact != nil && len(r.fact.Fields) > 2 {
		emit(*r.fact)
	}
	r.fact = nil
}

func (r *imdsRun) begin(it *Item, n int, line, path, command string, emit func(ddx.Fact)) {
	r.finish(emit)
	if path == "" {
		path = "/"
	}
	token := strings.Contains(command, "X-aws-ec2-metadata-token:")
	r.fact = new(it.fact("imds", host, n, line, "path", path, "token", token))
}

func readIMDS(it *Item, emit func(ddx.Fact)) error {
	if m := imdsClient.FindSubmatchIndex(it.Data); m != nil && len(it.Data) < imdsMostError {
		readIMDSError(it, m, emit)
		return nil
	}
	var r imdsRun
	if m := imdsURL.FindStringSubmatch(it.Name); m != nil && imdsCommand.MatchString(it.Name) && len(it.Data) > 0 {
		first, _, _ := strings.Cut(string(it.Data), "\n")
		if first = strings.TrimRight(first, " \t\r"); secretPath(m[1]) && !imdsStatus.MatchString(first) && !strings.HasPrefix(first, "*") {
			first = "" // a token or credentials
		}
		r.begin(it, 1, first, m[1], it.Name, emit)
	}
	it.lines(func(n int, line string) {
		line = strings.TrimRight(line, " \t")
		bare := strings.TrimSpace(line)
		if imdsCommand.MatchString(line) && (promptWords(line) != nil || strings.HasPrefix(bare, "curl ") || strings.HasPrefix(bare, "wget ")) {
			r.begin(it, n, line, imdsURL.FindStringSubmatch(line)[1], line, emit)
			return
		}
		if m := wgetStart.FindStringSubmatch(line); m != nil {
			if r.fact == nil || r.fact.Fields["status"] != nil {
				r.begin(it, n, line, m[1], "", emit)
			}
			return
		}
		if promptWords(line) != nil && !strings.HasPrefix(bare, "#") {
			r.finish(emit)
			return
		}
		if m := imdsRequest.FindStringSubmatch(line); m != nil {
			if r.fact == nil || r.fact.Fields["status"] != nil {
				r.begin(it, n, line, m[1], "", emit)
			}
			r.fact.Fields["path"] = m[1]
			return
		}
		if r.fact == nil && (strings.Contains(line, "* Connected to 169.254.169.254") || imdsFailure.MatchString(line)) {
			r.begin(it, n, line, "", "", emit)
		}
		if r.fact != nil {
			r.line(it, n, line)
		}
	})
	r.finish(emit)
	// Scheduled maintenance, spot notices and the identity document are the
	// same objects that the aws CLI prints.
	if start, _ := jsonStart(it.Data); start >= 0 && awsKeys.Match(it.Data[start:]) {
		return awsAnswers.Read(it, emit)
	}
	return nil
}

func secretPath(path string) bool {
	return strings.Contains(path, "api/token") || strings.Contains(path, "credentials/")
}

func (r *imdsRun) line(it *Item, n int, line string) {
	f := r.fact
	cite := func() {
		if f.Evidence[0].Text != line {
			it.cite(f, n, line)
		}
	}
	path := f.String("path")
	secret := secretPath(path)
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "" || wgetChatter.MatchString(line):
	case imdsStatus.MatchString(line):
		f.Fields["status"], _ = strconv.ParseInt(imdsStatus.FindStringSubmatch(line)[1], 10, 64)
		cite()
	case imdsTitle.MatchString(line):
		f.Fields["status"], _ = strconv.ParseInt(imdsTitle.FindStringSubmatch(line)[1], 10, 64)
		delete(f.Fields, "value")
		cite()
	case imdsFailure.MatchString(line):
		f.Fields["error"] = trimmed
		if f.Fields["status"] == nil {
			f.Fields["status"] = int64(0)
		}
		cite()
	case imdsCode.MatchString(line) && strings.Contains(f.Evidence[0].Text+it.Name, "http_code"):
		f.Fields["status"], _ = strconv.ParseInt(trimmed, 10, 64)
		cite()
	case strings.HasPrefix(trimmed, "> X-aws-ec2-metadata-token:"):
		f.Fields["token"] = true
	case secret || strings.ContainsAny(trimmed[:1], "*<>{}%"):
	case strings.Contains(line, ":--") || f.Fields["value"] != nil:
	default:
		if headerLine.MatchString(trimmed) {
			return
		}
		f.Fields["value"] = trimmed[:min(len(trimmed), 256)]
		cite()
	}
}

// imdsMostError is the size up to which an error of a client is taken for what
// the text is about; in anything longer it is a line of a log.
const imdsMostError = 4 << 10

// imdsClient are the errors that the AWS SDKs for Go report of the service.
var imdsClient = lazy(`EC2MetadataError: failed to make EC2Metadata request[^{]{0,400}?status code: (?P<one>\d{3})|operation error ec2imds: \w+, [^\n]{0,400}?(?:StatusCode: (?P<two>\d{3})|"http://` + imdsHost + `(?P<path>/[^"]*)": (?P<why>[^\n"]+))`)

// readIMDSError makes a fact of a client's error.
func readIMDSError(it *Item, m []int, emit func(ddx.Fact)) {
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return string(it.Data[m[2*i]:m[2*i+1]])
	}
	n := 1 + strings.Count(string(it.Data[:m[0]]), "\n")
	line := strings.Split(string(it.Data), "\n")[n-1]
	status, _ := strconv.ParseInt(group(1)+group(2), 10, 64)
	emit(it.fact("imds", host, n, strings.TrimRight(line, " \t\r"), "path", text(group(3)), "status", status, "error", strings.Join(strings.Fields(string(it.Data[m[0]:m[1]])), " ")))
}

// headerLine is a header of a response as curl -i prints it.
var headerLine = lazy(`^(?i:content-|date|server|last-modified|accept-|connection|etag|x-)[\w-]*: `)
