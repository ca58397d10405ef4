package dns

import (
	"github.com/prometheus/client_golang/prometheus"
)

// descriptions of the metrics, in the order of the output.
var (
	mAddresses  = desc("addresses", "Addresses the endpoint gave at the last look.", "family")
	mClass      = desc("class", "1 for the class of the last look, 0 for all others.", "class")
	mAlarm      = desc("alarm", "1 while the alarm is raised.", "alarm")
	mAlarmSince = desc("alarm_since_seconds", "Unix time of the first look that showed the alarm.", "alarm")
	mGeneration = desc("generation", "Lowest generation that an authoritative server gave.")
	mHighest    = desc("generation_highest", "Highest generation ever seen.")
	mNegative   = desc("negative_resolvers", "Resolvers that hold a negative answer that is no longer true.")
	mClears     = desc("negative_clears_seconds", "Unix time at which the last negative cache clears, 0 for none.")
	mServers    = desc("servers", "Servers asked at the last look.", "role")
	mLast       = desc("last_look_seconds", "Unix time of the last look.")
	mLooks      = desc("looks_total", "Looks since the baseline began.")
	mUndecided  = desc("undecided_looks_total", "Looks at which no server could be heard.")
	mLookFailed = desc("look_failed", "1 if the last look could not be made at all.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ddx_dns_"+name, help, append([]string{"endpoint"}, labels...), nil)
}

// Describe implements prometheus.Collector.
func (w *Watcher) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{mAddresses, mClass, mAlarm, mAlarmSince, mGeneration, mHighest, mNegative, mClears, mServers, mLast, mLooks, mUndecided, mLookFailed} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (w *Watcher) Collect(ch chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, s := range w.states {
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{name}, labels...)...)
		}
		v := s.Verdict
		n := map[string]int{}
		for _, a := range v.Addresses {
			n[family(a)]++
		}
		for _, t := range addressTypes {
			gauge(mAddresses, float64(n[t]), t)
		}
		for _, c := range Classes() {
			gauge(mClass, float64(bit(c == v.Class)), string(c))
		}
		for _, al := range alarmNames() {
			raised, ok := s.Alarms[al]
			gauge(mAlarm, float64(bit(ok)), al)
			if ok {
				gauge(mAlarmSince, float64(raised.Since.Unix()), al)
			}
		}
		gauge(mGeneration, float64(v.Generation))
		gauge(mHighest, float64(s.Baseline.Generation))
		gauge(mNegative, float64(v.Negative))
		clears := 0.0
		if v.Negative > 0 && !v.Clears.IsZero() {
			clears = float64(v.Clears.Unix())
		}
		gauge(mClears, clears)
		gauge(mServers, float64(v.Authorities), string(Authority))
		gauge(mServers, float64(v.Resolvers), string(Resolver))
		gauge(mLast, float64(v.Time.Unix()))
		ch <- prometheus.MustNewConstMetric(mLooks, prometheus.CounterValue, float64(s.Looks), name)
		ch <- prometheus.MustNewConstMetric(mUndecided, prometheus.CounterValue, float64(s.Undecided), name)
	}
	for name, err := range w.errs {
		ch <- prometheus.MustNewConstMetric(mLookFailed, prometheus.GaugeValue, float64(bit(err != nil)), name)
	}
}

// alarmNames lists every alarm that can be raised, each once.
func alarmNames() []string {
	set := map[string]bool{}
	for _, c := range Classes() {
		if c != OK && c != MeantEmpty && c != Unknown {
			set[AlarmName(c)] = true
		}
	}
	return sorted(set)
}
