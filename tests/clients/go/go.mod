module claviger.test/client

go 1.19
