// Command zone-audit-apiserver is a Kubernetes API server for tests, with an etcd of its own in the same process.
//
// It listens on loopback only and forgets everything when it ends. It prints one line of JSON when it is ready, reads
// commands from standard input, one word a line, answers each with one line of JSON, and ends when that input ends, so
// that it never outlives the tests that started it.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

const (
	loopback = "127.0.0.1"
	patience = 2 * time.Minute
	quota    = 8 << 30 // bytes; the default of 2 GiB is soon full of 20,000 pods that change
)

func main() {
	flags := flag.NewFlagSet("zone-audit-apiserver", flag.ExitOnError)
	dir := flags.String("dir", "", "directory for the data of etcd; the caller removes it")
	port := flags.Int("port", 0, "port of the API server, 0 for any that is free")
	_ = flags.Parse(os.Args[1:]) // ends the process on an error
	if err := run(*dir, *port, flags.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until the context of the process ends; further are flags of kube-apiserver.
func run(dir string, port int, further []string) error {
	if dir == "" {
		return errors.New("--dir is missing")
	}
	store, err := startStore(filepath.Join(dir, "etcd"))
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer store.Close()
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	ctx := genericapiserver.SetupSignalContext()
	completed, err := complete(ctx, listener, "http://"+store.Clients[0].Addr().String(), further)
	if err != nil {
		return err
	}
	go converse("https://"+listener.Addr().String(), v3client.New(store.Server))
	return app.Run(ctx, completed)
}

// startStore is an etcd that does not wait for the disk.
func startStore(dir string) (*embed.Etcd, error) {
	anyPort := []url.URL{{Scheme: "http", Host: loopback + ":0"}}
	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "error"
	config.LogOutputs = []string{"stderr"}
	config.UnsafeNoFsync = true
	config.EnableGRPCGateway = false
	config.QuotaBackendBytes = quota
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	store, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-store.Server.ReadyNotify():
		return store, nil
	case err := <-store.Err():
		return nil, err
	case <-time.After(patience):
		return nil, errors.New("not ready in time")
	}
}

// complete is what the command kube-apiserver does before it serves.
func complete(ctx context.Context, listener net.Listener, store string, further []string) (options.CompletedOptions, error) {
	chosen := options.NewServerRunOptions()
	flags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	named := chosen.Flags()
	for _, set := range named.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(further); err != nil {
		return options.CompletedOptions{}, err
	}
	if err := chosen.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return options.CompletedOptions{}, err
	}
	chosen.SecureServing.Listener = listener
	chosen.Etcd.StorageConfig.Transport.ServerList = []string{store}
	completed, err := chosen.Complete(ctx)
	if err != nil {
		return completed, err
	}
	return completed, utilerrors.NewAggregate(completed.Validate())
}

// converse says when the server is ready, obeys standard input and ends the process with it.
func converse(address string, store *clientv3.Client) {
	if err := await(address + "/readyz"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answer(map[string]any{"url": address, "version": version.Get().GitVersion})
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		switch command := commands.Text(); command {
		case "compact":
			answer(compact(store))
		default:
			answer(map[string]any{"error": fmt.Sprintf("unknown command %q", command)})
		}
	}
	os.Exit(0)
}

func answer(values map[string]any) {
	_ = json.NewEncoder(os.Stdout).Encode(values) // whoever closed it does not want to know
}

func await(address string) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // our own listener
	client := http.Client{Transport: transport, Timeout: time.Second}
	defer transport.CloseIdleConnections()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		response, err := client.Get(address)
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("the API server is not ready in time")
}

// compact forgets every revision but the newest, the way the API server does it every five minutes: through the key that
// its caches watch, so that they forget as well.
func compact(store *clientv3.Client) map[string]any {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	newest, err := revision(ctx, store)
	if err == nil {
		_, err = store.Put(ctx, "compact_rev_key", strconv.FormatInt(newest, 10))
	}
	if err == nil {
		_, err = store.Compact(ctx, newest)
	}
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"compacted": newest}
}

func revision(ctx context.Context, store *clientv3.Client) (int64, error) {
	found, err := store.Get(ctx, "compact_rev_key")
	if err != nil {
		return 0, err
	}
	return found.Header.Revision, nil
}
