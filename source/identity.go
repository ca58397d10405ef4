package source

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// redactor holds the mapping of one take.
type redactor struct {
	key   []byte
	seen  map[string]string // addresses
	hosts map[string]string
	users map[string]string
	names *lazyRegexp
	known [][]byte // the names, as they are
}

var (
	addressLike  = lazy(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:/\d{1,2})?\b`)
	dashedIP     = lazy(`\bip-(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})\b`)
	address6Like = lazy(`(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:/\d{1,3})?`)
	hardware     = lazy(`(?i)\b[0-9a-f]{2}(?:([:-])[0-9a-f]{2}){5}\b`)
	awsID        = lazy(`\b(i|r|vol|eni|eni-attach|subnet|vpc|sg|sgr|rtb|rtbassoc|acl|ami|snap|fs|fsmt|fsap|lt|nat|igw|vgw|tgw|vpce|eipalloc|eipassoc|dopt|pcx|key|asg|pl|eipassoc|aclassoc|rnat|h)-([0-9a-f]{8}(?:[0-9a-f]{9})?)\b`)
	volumeSerial = lazy(`\b(vol)([0-9a-f]{17}|[0-9a-f]{8})\b`)
	accountInARN = lazy(`\b(arn:aws[\w-]*:[\w-]*:[\w-]*:)(\d{12})\b`)
	accountField = lazy(`(?i)("?(?:OwnerId|AccountId|account_?id|RequesterId|InstanceOwnerId|VpcOwnerId)"?\s*[:=]\s*"?)(\d{12})\b`)
	accessKey    = lazy(`\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b`)
	mail         = lazy(`\b[\w.+-]+@([\w-]+\.)+[A-Za-z]{2,}\b`)
	jwt          = lazy(`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`)
	secretField  = lazy(`(?i)(\b(?:[\w.]*[_.])?(?:secret_?(?:access_?)?key|secretaccesskey|session_?token|security_?token|pass(?:word|wd|phrase)?|api_?key|auth_?token|access_?token|ec2-metadata-token|tcp_fastopen_key|stable_secret|private_?key|credentials?))("?\s*[:=]\s*"?)([^\s"',;&]+)`)
	bearer       = lazy(`(?i)\b(bearer|basic|authorization:\s*\w+)\s+[\w+/=.~-]{8,}`)
	urlPassword  = lazy(`(\w+://[^\s/:@]+:)([^\s/@]+)@`)
	homeOf       = lazy(`/home/([A-Za-z_][\w.-]*)`)
	userField    = lazy(`(?:\b(?:user|USER|acct|ruser|logname)="?|\bfor (?:invalid )?user |\bAccepted \w+ for |\bFailed \w+ for (?:invalid user )?|: session (?:opened|closed) for user )([A-Za-z_][\w.-]{1,31})\b`)
	userColumn   = lazy(`^(?:\s*\d+\s+\d+\s+([a-z_][\w.-]{2,31})\s+[RSDTtZI][<NLsl+]*\s|([a-z_][\w.-]{2,31})\s+\d+\s+\d+\.\d\s+\d+\.\d\s+\d+\s+\d+\s)`)
	prompt       = lazy(`^\[?([A-Za-z_][\w.-]{0,31})@([A-Za-z][\w.-]{1,62})(?::[~/]| [~/\w.-]+\][$#])`)
	privateBlock = lazy(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)
	privateEnd   = lazy(`-----END [A-Z ]*PRIVATE KEY-----`)
)

// commonNames are users and words that identify nobody.
var commonNames = strings.Fields(`root nobody daemon bin sys adm mail ubuntu ec2-user admin centos debian fedora core rocky almalinux user users
 localhost kernel systemd the a an this that all any no login session sshd docker www-data nginx mysql postgres syslog messagebus chrony dbus
 ntp ssm-user rpc rpcuser nfsnobody sync shutdown halt operator games ftp unknown more than mount port device each local remote reading writing`)

// hash returns n hexadecimal digits for a value of a class.
func (r *redactor) hash(class, value string, n int) string {
	m := hmac.New(sha256.New, r.key)
	m.Write([]byte(class + "\x00" + value))
	s := hex.EncodeToString(m.Sum(nil))
	return s[:min(n, len(s))]
}

// compile makes one expression of all names, longest first.
func (r *redactor) compile() {
	var names []string
	for _, m := range []map[string]string{r.hosts, r.users} {
		for n := range m {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for i := range names {
		r.known = append(r.known, []byte(names[i]))
		names[i] = regexp.QuoteMeta(names[i])
	}
	r.names = lazy(`\b(?:` + strings.Join(names, "|") + `)\b`)
}

// text redacts a text without line ends.
func (r *redactor) text(s string) string { return string(r.line([]byte(s))) }

func (r *redactor) line(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	sub := func(re *lazyRegexp, fn func(m []string) string) {
		if !re.Match(b) {
			return
		}
		b = re.ReplaceAllFunc(b, func(all []byte) []byte { return []byte(fn(re.FindStringSubmatch(string(all)))) })
	}
	// Each expression runs only where a cheap look says that it could match:
	// nearly all lines of a log need one or two of them.
	low := bytes.ToLower(b)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(low, []byte(w)) })
	}
	if has("secret", "token", "pass", "key", "credential") {
		sub(secretField, func(m []string) string { return m[1] + m[2] + "REDACTED" })
	}
	if has("bearer ", "basic ", "authorization:") {
		sub(bearer, func(m []string) string { return m[1] + " REDACTED" })
	}
	if has("eyj") {
		sub(jwt, func([]string) string { return "REDACTED" })
	}
	if has("akia", "asia", "aroa", "aida") {
		sub(accessKey, func(m []string) string { return m[1] + strings.ToUpper(r.hash("key", m[0], 16)) })
	}
	if has("@") {
		sub(urlPassword, func(m []string) string { return m[1] + "REDACTED@" })
		sub(mail, func(m []string) string { return "user-" + r.hash("mail", m[0], 6) + "@example.org" })
	}
	id := func(prefix, dash, digits string) string {
		return prefix + dash + r.hash("aws-"+prefix, digits, len(digits))
	}
	if dashHex(b) {
		sub(awsID, func(m []string) string { return id(m[1], "-", m[2]) })
	}
	if has("vol") {
		sub(volumeSerial, func(m []string) string { return id(m[1], "", m[2]) })
	}
	account := func(m []string) string { return m[1] + r.digits(m[2]) }
	if has("arn:aws") {
		sub(accountInARN, account)
	}
	if has("ownerid", "account", "requesterid") {
		sub(accountField, account)
	}
	if bytes.Count(b, []byte(":")) >= 5 || bytes.Count(b, []byte("-")) >= 5 {
		sub(hardware, func(m []string) string { return r.mac(m[0]) })
	}
	if has("ip-") {
		sub(dashedIP, func(m []string) string {
			return "ip-" + strings.ReplaceAll(r.address(strings.Join(m[1:], ".")), ".", "-")
		})
	}
	if bytes.Count(b, []byte(".")) >= 3 {
		sub(addressLike, func(m []string) string { return r.address(m[0]) })
	}
	if c := bytes.Count(b, []byte(":")); c >= 7 || c >= 2 && has("::") {
		sub(address6Like, func(m []string) string { return r.address(m[0]) })
	}
	if r.names != nil && (len(r.known) > 64 || slices.ContainsFunc(r.known, func(n []byte) bool { return bytes.Contains(b, n) })) {
		sub(r.names, func(m []string) string {
			if h := r.hosts[m[0]]; h != "" {
				return h
			}
			return r.users[m[0]]
		})
	}
	return b
}

// dashHex reports whether a dash stands before eight hexadecimal digits.
func dashHex(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '-')
		if i < 0 || len(b) < i+9 {
			return false
		}
		b = b[i+1:]
		n := 0
		for n < 8 && (b[n] >= '0' && b[n] <= '9' || b[n] >= 'a' && b[n] <= 'f') {
			n++
		}
		if n == 8 {
			return true
		}
	}
}

// digits maps an account number to another one.
func (r *redactor) digits(s string) string {
	h := r.hash("account", s, len(s))
	out := []byte(h)
	for i, c := range out {
		out[i] = '0' + byte(unhexDigit(c))%10
	}
	return string(out)
}

func unhexDigit(c byte) int {
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c - '0')
}

// mac keeps the maker's half of a hardware address.
func (r *redactor) mac(s string) string {
	low := strings.ToLower(s)
	if strings.Trim(low, "0:-") == "" || strings.Trim(low, "f:-") == "" || strings.HasPrefix(low, "01:00:5e") || strings.HasPrefix(low, "33:33") {
		return s
	}
	h := r.hash("mac", strings.ReplaceAll(low, "-", ":"), 6)
	sep := s[2:3]
	return s[:9] + h[:2] + sep + h[2:4] + sep + h[4:6]
}

// address maps an address, with or without the length of a prefix.
func (r *redactor) address(s string) string {
	if out, ok := r.seen[s]; ok {
		return out
	}
	out := r.newAddress(s)
	if len(r.seen) < 1<<20 {
		r.seen[s] = out
	}
	return out
}

func (r *redactor) newAddress(s string) string {
	text, length, hasLength := strings.Cut(s, "/")
	a, err := netip.ParseAddr(text)
	if err != nil || a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast() || isNetmask(a) || a == metadata6 {
		return s
	}
	bits := a.BitLen()
	if hasLength {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return s
		}
		if p.Masked().Addr() == a {
			bits = p.Bits() // a network: the host part stays zero
		}
	}
	out := r.mapped(a, bits).String()
	if hasLength {
		out += "/" + length
	}
	return out
}

var metadata6 = netip.MustParseAddr("fd00:ec2::254")

func isNetmask(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	b := a.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	return v>>31 == 1 && ^v&(^v+1) == 0 && b[0] >= 254
}

// classBits are the leading bits that say what kind of address it is.
func classBits(a netip.Addr) int {
	for _, c := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"} {
		if p := netip.MustParsePrefix(c); p.Contains(a) {
			return p.Bits()
		}
	}
	if a.Is4() {
		return 8
	}
	return 16
}

// mapped changes the bits of an address after those of its class, each by what
// stands before it, so that addresses share as long a prefix as before. The
// first of these bits is always turned: nothing is mapped to itself.
func (r *redactor) mapped(a netip.Addr, bits int) netip.Addr {
	b := a.AsSlice()
	out := slices.Clone(b)
	first := classBits(a)
	for i := first; i < bits; i++ {
		prefix := slices.Clone(b[:i/8+1])
		prefix[i/8] &= ^byte(0) << (8 - i%8)
		h := r.hash("address", fmt.Sprint(a.Is4(), i, prefix), 2)
		if i == first || unhexDigit(h[1])&1 == 1 {
			out[i/8] ^= 1 << (7 - i%8)
		}
	}
	mapped, _ := netip.AddrFromSlice(out)
	return mapped
}
