module ddx

go 1.26
