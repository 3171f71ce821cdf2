//! TCP options of the connections that the service takes in. `api::serve` accepts from nothing but [`Incoming`].

use duijie::api::Incoming;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::StreamExt;

#[tokio::test]
async fn every_accepted_socket_sends_at_once_and_is_probed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut incoming = Incoming::new(listener);
    for _ in 0..3 {
        let client = TcpStream::connect(address).await.unwrap();
        let accepted = incoming.next().await.unwrap().unwrap();
        assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
        assert!(accepted.nodelay().unwrap(), "small answers wait for the client's delayed acknowledgement");
        assert!(SockRef::from(&accepted).keepalive().unwrap(), "a peer that is gone is never noticed");
    }
}
