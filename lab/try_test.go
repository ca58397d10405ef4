package lab
import ("testing";"context";"os";"time")
func TestTry(t *testing.T){
 for _,x:=range []struct{n,f string; set map[string]string}{{"lease","l1",nil},{"lease","l2",map[string]string{"sweep":"law","measure":"restart+throttle"}},{"flap","f1",map[string]string{"sweep":"all"}}} {
 t0:=time.Now()
 r,err:=Simulate(context.Background(),x.n,SimulateOptions{Set:x.set})
 if err!=nil{t.Fatal(err)}
 r.WriteText(os.Stdout)
 t.Log(time.Since(t0))
 os.WriteFile("/tmp/"+x.f+".svg",[]byte(r.SVG()),0o644)
 }
}
