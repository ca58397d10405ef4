package awsfake

import (
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// Credentials that the fake takes. With the Denied pair a request is understood
// and not allowed; any other key is unknown.
const (
	AccessKey = "AKIAFAKEFAKEFAKEFAKE"
	DeniedKey = "AKIADENIEDDENIEDDENI"
	SecretKey = "only/for/tests"
)

// ZoneID names the one hosted zone.
const ZoneID = "ZFAKE0123456789"

// Fault is what goes wrong with one change.
type Fault int

// The faults.
const (
	None         Fault = iota
	LoseRequest        // the connection ends before the change is looked at
	LoseAnswer         // the change is applied, then the connection ends
	Hang               // the change is applied, no answer comes until the client gives up
	Throttle           // 400 Throttling, nothing is applied
	PriorRequest       // 400 PriorRequestNotComplete, nothing is applied
	Fail               // 500, nothing is applied
	FailAfter          // 500, although it is applied
	EmptyAnswer        // 200 without a body, as a proxy may give; nothing is applied
)

// Route53 is one hosted zone.
type Route53 struct {
	Zone string // with final dot
	Addr string // address:port of the API, TCP, and of the name server, UDP

	// Fault is asked before each change, without a lock; nil: None. Set it
	// before the first request.
	Fault func() Fault
	// PageSize bounds the sets of a page, as the service does; 0: 300.
	PageSize int
	// PendingLooks is how often GetChange says PENDING before INSYNC.
	PendingLooks int
	// OldErrors writes InvalidChangeBatch as the element of that name, not as
	// an Error in an ErrorResponse. The SDK reads both.
	OldErrors bool

	t       testing.TB
	taking  sync.Mutex // a change is being taken in
	mu      sync.Mutex
	sets    zone
	pending map[string]int
	number  int
	counts  map[string]int
	stop    func()
}

// NewRoute53 starts a zone on a loopback or namespace address and a port that is
// free for TCP and UDP. The zone has SOA and NS sets and ends with the test.
func NewRoute53(t testing.TB, ip string, port int, apex string) *Route53 {
	t.Helper()
	r := &Route53{Zone: canonical(apex), Addr: net.JoinHostPort(ip, strconv.Itoa(port)), t: t,
		sets: zone{}, pending: map[string]int{}, counts: map[string]int{}}
	for _, s := range []Set{Simple(r.Zone, "SOA", 60, "ns1."+r.Zone+" hostmaster."+r.Zone+" 1 7200 900 1209600 60"), Simple(r.Zone, "NS", 60, "ns1."+r.Zone)} {
		r.sets[s.key()] = s
	}
	r.Start()
	t.Cleanup(r.Kill)
	return r
}

// URL is the endpoint of the API.
func (r *Route53) URL() string { return "http://" + r.Addr }

// Start serves again after Kill, with what the zone held.
func (r *Route53) Start() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.Addr)
	if err != nil {
		r.t.Fatal(err)
	}
	u, err := net.ListenPacket("udp", r.Addr)
	if err != nil {
		r.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2013-04-01/hostedzone/{id}/rrset", r.change)
	mux.HandleFunc("POST /2013-04-01/hostedzone/{id}/rrset/{$}", r.change)
	mux.HandleFunc("GET /2013-04-01/hostedzone/{id}/rrset", r.list)
	mux.HandleFunc("GET /2013-04-01/change/{id}", r.getChange)
	web := &http.Server{Handler: mux}
	names := &mdns.Server{PacketConn: u, Handler: mdns.HandlerFunc(r.answer)}
	go web.Serve(l)
	go names.ActivateAndServe()
	r.stop = func() { web.Close(); u.Close() }
}

// Kill ends all connections at once.
func (r *Route53) Kill() { r.stop() }

// Edit replaces all sets of the given names, as somebody at the console would.
func (r *Route53) Edit(names []string, sets ...Set) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := zone{}
	for k, s := range r.sets {
		next[k] = s
		for _, n := range names {
			if canonical(n) == k.name {
				delete(next, k)
			}
		}
	}
	for _, s := range sets {
		next[s.key()] = s
	}
	r.sets = next
}

// Count says how often an operation (ChangeResourceRecordSets, ...) arrived.
func (r *Route53) Count(operation string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[operation]
}

func (r *Route53) now() zone {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sets
}

// enter counts a request and checks who asks for which zone.
func (r *Route53) enter(w http.ResponseWriter, q *http.Request, operation string) bool {
	r.mu.Lock()
	r.counts[operation]++
	r.mu.Unlock()
	auth := q.Header.Get("Authorization")
	switch {
	case !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential="):
		fail(w, 403, "MissingAuthenticationToken", "Request is missing Authentication Token")
	case strings.Contains(auth, "="+DeniedKey+"/"):
		fail(w, 403, "AccessDenied", "User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: route53:"+operation)
	case !strings.Contains(auth, "="+AccessKey+"/"):
		fail(w, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	case operation != "GetChange" && q.PathValue("id") != ZoneID:
		fail(w, 404, "NoSuchHostedZone", "No hosted zone found with ID: "+q.PathValue("id"))
	default:
		return true
	}
	return false
}

func (r *Route53) change(w http.ResponseWriter, q *http.Request) {
	fault := None
	if r.Fault != nil {
		fault = r.Fault()
	}
	if fault == LoseRequest {
		panic(http.ErrAbortHandler)
	}
	if !r.enter(w, q, "ChangeResourceRecordSets") {
		return
	}
	var in struct {
		XMLName xml.Name `xml:"ChangeResourceRecordSetsRequest"`
		Changes []Change `xml:"ChangeBatch>Changes>Change"`
	}
	body, err := io.ReadAll(q.Body)
	if err == nil {
		err = xml.Unmarshal(body, &in)
	}
	switch {
	case err != nil, len(in.Changes) == 0:
		fail(w, 400, "InvalidInput", fmt.Sprintf("the request is no batch of changes: %v", err))
		return
	case fault == Throttle:
		fail(w, 400, "Throttling", "Rate exceeded")
		return
	case fault == Fail:
		fail(w, 500, "InternalFailure", "The request processing has failed because of an unknown error")
		return
	case fault == EmptyAnswer:
		return
	}
	if fault == PriorRequest || !r.taking.TryLock() {
		fail(w, 400, "PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request.")
		return
	}
	r.mu.Lock()
	next, wrong := r.sets.apply(r.Zone, in.Changes)
	r.sets = next
	r.number++
	id := fmt.Sprintf("C%020d", r.number)
	if wrong == nil {
		r.pending[id] = r.PendingLooks
	}
	r.mu.Unlock()
	r.taking.Unlock()
	switch {
	case fault == LoseAnswer:
		panic(http.ErrAbortHandler)
	case fault == Hang:
		<-q.Context().Done()
	case fault == FailAfter:
		fail(w, 500, "InternalFailure", "The request processing has failed because of an unknown error")
	case wrong != nil && r.OldErrors:
		write(w, 400, struct {
			XMLName   xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ InvalidChangeBatch"`
			Messages  []string `xml:"Messages>Message"`
			RequestID string   `xml:"RequestId"`
		}{Messages: wrong, RequestID: "fake"})
	case wrong != nil:
		fail(w, 400, "InvalidChangeBatch", "["+strings.Join(wrong, ", ")+"]")
	default:
		r.info(w, "ChangeResourceRecordSetsResponse", id, "PENDING")
	}
}

func (r *Route53) getChange(w http.ResponseWriter, q *http.Request) {
	if !r.enter(w, q, "GetChange") {
		return
	}
	id := q.PathValue("id")
	r.mu.Lock()
	left, ok := r.pending[id]
	r.pending[id] = max(0, left-1)
	r.mu.Unlock()
	switch {
	case !ok:
		fail(w, 404, "NoSuchChange", "Could not find resource with ID: "+id)
	case left > 0:
		r.info(w, "GetChangeResponse", id, "PENDING")
	default:
		r.info(w, "GetChangeResponse", id, "INSYNC")
	}
}

func (r *Route53) info(w http.ResponseWriter, element, id, status string) {
	var out struct {
		XMLName xml.Name
		ID      string `xml:"ChangeInfo>Id"`
		Status  string `xml:"ChangeInfo>Status"`
		At      string `xml:"ChangeInfo>SubmittedAt"`
	}
	out.XMLName = xml.Name{Space: namespace, Local: element}
	out.ID, out.Status, out.At = "/change/"+id, status, time.Now().UTC().Format(time.RFC3339)
	write(w, 200, out)
}

func (r *Route53) list(w http.ResponseWriter, q *http.Request) {
	if !r.enter(w, q, "ListResourceRecordSets") {
		return
	}
	form := q.URL.Query()
	size := r.PageSize
	if size == 0 {
		size = 300
	}
	if n, err := strconv.Atoi(form.Get("maxitems")); err == nil {
		size = min(size, n)
	}
	from := key{canonical(form.Get("name")), form.Get("type"), form.Get("identifier")}
	if form.Get("type") != "" && form.Get("name") == "" {
		fail(w, 400, "InvalidInput", "The request contains a type but no name")
		return
	}
	var out listing
	out.XMLName = xml.Name{Space: namespace, Local: "ListResourceRecordSetsResponse"}
	out.MaxItems = size
	for _, s := range r.now().sorted() {
		if form.Get("name") != "" && order(s.key(), from) < 0 {
			continue
		}
		if len(out.Sets) == size {
			out.IsTruncated, out.NextName, out.NextType, out.NextID = true, escaped(s.Name), s.Type, s.SetIdentifier
			break
		}
		s.Name = escaped(s.Name)
		out.Sets = append(out.Sets, s)
	}
	write(w, 200, out)
}

type listing struct {
	XMLName     xml.Name
	Sets        []Set `xml:"ResourceRecordSets>ResourceRecordSet"`
	IsTruncated bool
	MaxItems    int
	NextName    string `xml:"NextRecordName,omitempty"`
	NextType    string `xml:"NextRecordType,omitempty"`
	NextID      string `xml:"NextRecordIdentifier,omitempty"`
}

// escaped writes a name as the service does: a star as \052.
func escaped(name string) string { return strings.ReplaceAll(name, "*", `\052`) }

const namespace = "https://route53.amazonaws.com/doc/2013-04-01/"

func fail(w http.ResponseWriter, status int, code, message string) {
	kind := "Sender"
	if status >= 500 {
		kind = "Receiver"
	}
	write(w, status, struct {
		XMLName   xml.Name `xml:"https://route53.amazonaws.com/doc/2013-04-01/ ErrorResponse"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}{Type: kind, Code: code, Message: message, RequestID: "fake"})
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := xml.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	io.WriteString(w, xml.Header+string(body))
}
