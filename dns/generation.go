package dns

import (
	"strconv"
	"strings"
)

// GenerationLabel is the label under an endpoint's name that holds its
// generation record. It stands below the name on purpose: with it there, the
// loss of the last address gives an empty answer for that type only and not
// NXDOMAIN for the name, which resolvers would remember for every type.
const GenerationLabel = "_ddx"

// GenerationName is where the generation record of an endpoint stands.
func GenerationName(endpoint string) string {
	return GenerationLabel + "." + Canonical(endpoint)
}

// Generation reads "gen=N" out of the text of a generation record. It accepts
// quoted presentation form and unknown further fields.
func Generation(txt string) (uint64, bool) {
	for _, f := range strings.Fields(strings.ReplaceAll(txt, `"`, " ")) {
		if v, ok := strings.CutPrefix(f, "gen="); ok {
			n, err := strconv.ParseUint(v, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
