package lab
import ("testing";"time")
func TestTry(t *testing.T){
 for _,rho:=range []float64{.1,.5,.8} { for _,X:=range []float64{1.5,1.6,1.7,1.8,1.9,2.0,2.1} {
  n:=0; t0:=time.Now()
  for seed:=uint64(1);seed<=5;seed++ { s:=BaseLease(); s.Seed=seed; s.Capacity=1800/(180*rho); s.EstablishCost=X*s.Capacity*120/1800; s.Horizon=2*time.Hour
   r:=SimulateLease(s); if r.Recovered {n++} }
  t.Log(rho,X,n, time.Since(t0))
 }}
}
