package source

import (
	"context"
	"errors"
)

func Live(ctx context.Context, o Options) (Take, error) { return Take{}, errors.New("tmp") }
