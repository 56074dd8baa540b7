// TCP echo (`tcp PORT`) or HTTP with Go's own server (`http PORT`, GET /SIZE).
// One goroutine a connection; GOMAXPROCS=1 in the scenario, as the source has one process on one core.
package main

import (
	"bytes"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
)

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 100*1024)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func serveTCP(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go echo(connection)
	}
}

func answer(response http.ResponseWriter, request *http.Request) {
	size, err := strconv.Atoi(request.URL.Path[1:])
	if err != nil {
		http.NotFound(response, request)
		return
	}
	response.Header().Set("Content-Type", "text/plain")
	response.Header().Set("Content-Length", strconv.Itoa(size))
	response.Write(bytes.Repeat([]byte("x"), size))
}

func main() {
	address := "127.0.0.1:" + os.Args[2]
	if os.Args[1] == "tcp" {
		log.Fatal(serveTCP(address))
	}
	log.Fatal(http.ListenAndServe(address, http.HandlerFunc(answer)))
}
