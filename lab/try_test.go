package lab
import ("testing";"time")
func TestTry(t *testing.T){
 type S=FlapSettings
 ms:=[]struct{n string; f func(*S)}{
  {"none",func(s *S){}},
  {"no new nodes",func(s *S){s.NewNodes=0}},
  {"velocity cap",func(s *S){s.Failover.MaxRemove=10}},
  {"min published",func(s *S){s.Failover.MinPublished=60}},
  {"fail open",func(s *S){s.Failover.FailOpen=50}},
  {"hysteresis s=3",func(s *S){s.Node.PassAfter=3}},
  {"hysteresis s=3 + hold",func(s *S){s.Node.PassAfter=3;s.Node.HoldDown=60*time.Second; s.Node.MaxHoldDown=30*time.Minute}},
  {"hold only",func(s *S){s.Node.HoldDown=60*time.Second; s.Node.MaxHoldDown=30*time.Minute}},
  {"gate",func(s *S){s.Node.Gate=true}},
  {"shed",func(s *S){s.Checker.ShedLate=true}},
  {"quorum",func(s *S){s.Vantage=3}},
  {"kill",func(s *S){s.KillAt=45*time.Minute}},
  {"cheap changes",func(s *S){s.Checker.Extra=5}},
 }
 for _,m:=range ms { for seed:=uint64(1);seed<=2;seed++ {
   s:=BaseFlap(); s.Seed=seed; m.f(&s); r:=SimulateFlap(s); r.Series=nil
   t.Logf("%-22s %+v",m.n,r)
 }}
}
