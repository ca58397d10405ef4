package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"

	"ddx/failover"
)

// Route53Options says which hosted zone is meant and how to reach it.
type Route53Options struct {
	ZoneID   string        // "Z..." as the console and ListHostedZones show it
	Region   string        // signs the requests; "": of the environment, else us-east-1, where the service lives
	Profile  string        // of the shared configuration files; "": the default
	Endpoint string        // URL of another service that speaks the same; "": Amazon's
	Timeout  time.Duration // of one request; 0: 10 s
	Pause    time.Duration // longest wait before a throttled request is sent again; 0: 5 s
}

// Route53 is a hosted zone as failover.Batcher.
type Route53 struct {
	zone   string
	client *route53.Client
	sure   sdk.Retryer // repeats only what was certainly not carried out

	mu   sync.Mutex
	last string // id of the last change that was accepted
}

// rejected are the errors by which Route 53 says that it did not begin with a
// request, so that sending it again is safe. Its documentation says so of
// PriorRequestNotComplete (another change of the zone is being taken in) and of
// throttling (five requests a second for an account).
var rejected = map[string]struct{}{
	"PriorRequestNotComplete": {}, "Throttling": {}, "ThrottlingException": {},
	"RequestThrottled": {}, "RequestLimitExceeded": {}, "TooManyRequestsException": {},
}

// denied are the errors that repeating does not help against.
var denied = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "NotAuthorized": true, "OptInRequired": true,
	"InvalidClientTokenId": true, "UnrecognizedClientException": true, "MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true,
	"SignatureDoesNotMatch": true, "IncompleteSignature": true, "ExpiredToken": true, "ExpiredTokenException": true, "RequestExpired": true,
	"NoSuchHostedZone": true, "InvalidInput": true, "ValidationError": true,
}

// NewRoute53 prepares the client. It reads configuration and asks nobody yet.
func NewRoute53(ctx context.Context, o Route53Options) (*Route53, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(o.Profile),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(cmp.Or(o.Timeout, 10*time.Second))))
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	cfg.Region = cmp.Or(o.Region, cfg.Region, "us-east-1")
	pause := cmp.Or(o.Pause, 5*time.Second)
	return &Route53{
		zone: o.ZoneID,
		client: route53.NewFromConfig(cfg, func(r *route53.Options) {
			if o.Endpoint != "" {
				r.BaseEndpoint = &o.Endpoint
			}
			r.Retryer = retry.NewStandard(func(s *retry.StandardOptions) { s.MaxBackoff = pause })
		}),
		sure: retry.NewStandard(func(s *retry.StandardOptions) {
			s.MaxAttempts, s.MaxBackoff = 6, pause
			s.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: rejected}}
		}),
	}, nil
}

// List returns the sets of one name, page by page. The service lists changes
// that are not on all its name servers yet, too.
func (z *Route53) List(ctx context.Context, name string) ([]failover.RRSet, error) {
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: &z.zone, StartRecordName: &name}
	var out []failover.RRSet
	for {
		page, err := z.client.ListResourceRecordSets(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.zone, plain(err))
		}
		for _, s := range page.ResourceRecordSets {
			if domain(sdk.ToString(s.Name)) != name {
				return out, nil // sets are in the order of names
			}
			out = append(out, set(s))
		}
		if !page.IsTruncated {
			return out, nil
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = page.NextRecordName, page.NextRecordType, page.NextRecordIdentifier
	}
}

func set(s types.ResourceRecordSet) failover.RRSet {
	out := failover.RRSet{Name: domain(sdk.ToString(s.Name)), Type: string(s.Type), TTL: uint32(sdk.ToInt64(s.TTL))}
	switch {
	case s.AliasTarget != nil:
		out.Routing = "an alias"
	case s.TrafficPolicyInstanceId != nil:
		out.Routing = "made by a traffic policy"
	case s.SetIdentifier != nil:
		out.Routing = "one of several with a routing policy"
	case s.HealthCheckId != nil:
		out.Routing = "bound to a health check"
	}
	for _, r := range s.ResourceRecords {
		out.Values = append(out.Values, sdk.ToString(r.Value))
	}
	slices.Sort(out.Values)
	return out
}

// Apply sends the batch once. It is sent again only after an answer which says
// that it was not looked at: were it repeated after a lost answer, an own
// earlier success would come back as a mismatch.
func (z *Route53) Apply(ctx context.Context, changes []failover.BatchChange) error {
	batch := &types.ChangeBatch{}
	for _, c := range changes {
		s := &types.ResourceRecordSet{Name: &c.Set.Name, Type: types.RRType(c.Set.Type), TTL: sdk.Int64(int64(c.Set.TTL))}
		for _, v := range c.Set.Values {
			s.ResourceRecords = append(s.ResourceRecords, types.ResourceRecord{Value: &v})
		}
		batch.Changes = append(batch.Changes, types.Change{Action: types.ChangeAction(c.Action), ResourceRecordSet: s})
	}
	out, err := z.client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &z.zone, ChangeBatch: batch},
		func(o *route53.Options) { o.Retryer = z.sure })
	if err != nil {
		return fmt.Errorf("zone %s: %w", z.zone, classify(err))
	}
	if out.ChangeInfo == nil || out.ChangeInfo.Id == nil {
		return fmt.Errorf("zone %s: the answer says nothing of a change; is there a proxy in between?", z.zone)
	}
	z.mu.Lock()
	z.last = *out.ChangeInfo.Id
	z.mu.Unlock()
	return nil
}

// InSync reports whether the last batch that Apply sent is on all name servers
// of the zone: until then the service calls it PENDING.
func (z *Route53) InSync(ctx context.Context) (bool, error) {
	z.mu.Lock()
	id := z.last
	z.mu.Unlock()
	if id == "" {
		return true, nil
	}
	out, err := z.client.GetChange(ctx, &route53.GetChangeInput{Id: &id})
	if err != nil {
		return false, fmt.Errorf("change %s: %w", id, plain(err))
	}
	return out.ChangeInfo != nil && out.ChangeInfo.Status == types.ChangeStatusInsync, nil
}

// classify says what an error means for the batch. What is not known here stays
// an unknown outcome.
func classify(err error) error {
	var invalid *types.InvalidChangeBatch
	var api smithy.APIError
	switch {
	case errors.As(err, &invalid):
		text := strings.Join(append(invalid.Messages, invalid.ErrorMessage()), "; ")
		if neverValid(text) {
			return fmt.Errorf("%w: %s", failover.ErrBatchDenied, text)
		}
		return fmt.Errorf("%w: %s", failover.ErrBatchInvalid, text)
	case errors.As(err, &api) && denied[api.ErrorCode()], noCredentials(err):
		return fmt.Errorf("%w: %w", failover.ErrBatchDenied, plain(err))
	}
	return plain(err)
}

// neverValid tells a batch that no state of the zone would take from one that
// does not fit the state it met. The service has one error code for both.
func neverValid(text string) bool {
	return strings.Contains(text, "is not permitted in zone") || strings.Contains(text, "FATAL problem") || strings.Contains(text, "Invalid Resource Record")
}

// noCredentials reports that the request could not be signed, and so was never
// sent. For want of credentials the SDK has no error type.
func noCredentials(err error) bool {
	var sign *v4.SigningError
	return errors.As(err, &sign) || strings.Contains(err.Error(), "get identity: ")
}

// plain shortens what the SDK says to what an operator can use: code and
// message of the service. Everything else stays as it is.
func plain(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	if noCredentials(err) {
		return fmt.Errorf("no AWS credentials: %w", err)
	}
	return err
}

// domain undoes the escapes of the service's names: a star comes as \052.
func domain(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToLower(b.String())
}
