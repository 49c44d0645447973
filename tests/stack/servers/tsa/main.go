// Command tsa is Sigstore's timestamp authority with its options and nothing else: upstream's own command also listens
// on port 2112 for metrics, wherever it runs, and ends when that port is taken. So only one could run on a machine.
package main

import (
	"flag"
	"log"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

func main() {
	port := flag.Int("port", 0, "port on 127.0.0.1")
	key := flag.String("file-signer-key-path", "", "the private key, PEM")
	chain := flag.String("certificate-chain-path", "", "the certificates, PEM, the signer's first")
	flag.Parse()

	// Upstream's defaults, but for the signer.
	const policy = "1.3.6.1.4.1.57264.2"
	for name, value := range map[string]any{
		"timestamp-signer":         "file",
		"timestamp-signer-hash":    "sha256",
		"file-signer-key-path":     *key,
		"certificate-chain-path":   *chain,
		"enforce-intermediate-eku": true,
		"default-policy-oid":       policy,
		"accepted-policy-oids":     []string{policy},
		"max-request-body-size":    1 << 20,
	} {
		viper.Set(name, value)
	}
	s := server.NewRestAPIServer("127.0.0.1", *port, []string{"http"}, false, 30*time.Second, 30*time.Second)
	log.Fatal(s.Serve())
}
