//! A network that goes away: what was sent is never acknowledged, as with a cable that was pulled out.

use super::sandbox::has_namespaces;
use crate::support::run::run;
use crate::support::scene::Scene;
use crate::support::skip::has_program;

/// A server with one branch, over HTTP and loopback, in the namespace of the test.
const SERVER: &str = r#"
use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8099, Listen => 9) or die;
my $refs = '003d' . '1' x 40 . " refs/heads/main\n0000";
while (my $client = $listener->accept) {
    next if fork;
    $client->autoflush(1);
    while (1) {
        my ($head, $body, $bytes) = ('', '');
        while ($head !~ /\r\n\r\n/) { sysread($client, $bytes, 1) or exit; $head .= $bytes }
        my $length = $head =~ /content-length: (\d+)/i ? $1 : 0;
        while (length $body < $length) { sysread($client, $bytes, $length - length $body) or exit; $body .= $bytes }
        my ($type, $said) = $head =~ /^GET/ ? ('advertisement', "000eversion 2\n000cls-refs\n0000") : ('result', $refs);
        print $client "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-$type\r\nContent-Length: ",
            length $said, "\r\n\r\n$said";
    }
}
"#;

/// A warm connection whose server has vanished is given up after ten seconds, and a new one carries the request as soon
/// as there is a network again.
#[test]
fn a_network_that_goes_away_is_noticed_in_time() {
    let scene = Scene::new();
    if !has_program(&scene, "perl") || !has_program(&scene, "ip") || !has_namespaces(&scene) {
        return;
    }
    std::fs::write(scene.path("server.pl"), SERVER).expect("a file");
    scene.set("BBCLOUD_BASE_URL", "http://localhost:8099");
    // 1FA3 is 8099; 01 is an established connection, here the agent's.
    let script = "ip link set lo up; perl server.pl & server=$!
        git-remote-bbcloud agent --socket \"$PWD/box/a.sock\" --allow acme/widgets 2>log & agent=$!
        until [ -S box/a.sock ]; do sleep 0.05; done
        unset BBCLOUD_TOKEN; export BBCLOUD_AGENT_SOCK=\"$PWD/box/a.sock\"
        until git ls-remote bbcloud::acme/widgets 2>/dev/null; do sleep 0.1; done
        grep -q ':1FA3 01 ' /proc/net/tcp
        ip link set lo down
        (while grep -q ':1FA3 01 ' /proc/net/tcp; do sleep 0.2; done; ip link set lo up) &
        git ls-remote bbcloud::acme/widgets; kill $server $agent; wait";
    let mut shell = scene.command("unshare", &scene.work());
    shell.args(["--net", "--pid", "--fork", "--mount-proc", "sh", "-euc", script]);
    let output = run(shell);
    assert!(output.success(), "{}{}", output.stdout, output.stderr);
    assert_eq!(output.stdout.matches("refs/heads/main").count(), 2, "{}", output.stdout);
}
