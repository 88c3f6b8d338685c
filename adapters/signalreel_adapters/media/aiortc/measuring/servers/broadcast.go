// A broadcast forwarder on pion: one publisher, any number of viewers, nothing in between.
//
// It is what a benchmark compares with, so it does as little as pion allows: no interceptors (no retransmission, no
// reports, no statistics), and each incoming packet goes to all viewers through a TrackLocalStaticRTP. It speaks lines
// of JSON: one question on stdin, one answer on stdout, with the same `id`.
package main

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc"
)

type question struct {
	Id     int    `json:"id"`
	Do     string `json:"do"`
	Sdp    string `json:"sdp"`
	Viewer string `json:"viewer"`
}

type answer struct {
	Id     int    `json:"id"`
	Sdp    string `json:"sdp,omitempty"`
	Viewer string `json:"viewer,omitempty"`
	Error  string `json:"error,omitempty"`
}

type forwarder struct {
	api     *webrtc.API
	source  *webrtc.PeerConnection
	lock    sync.Mutex
	tracks  []*webrtc.TrackLocalStaticRTP
	viewers map[string]*webrtc.PeerConnection
}

func newForwarder(host string) (*forwarder, error) {
	engine := webrtc.SettingEngine{}
	engine.SetLite(true)
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine.SetIPFilter(func(address net.IP) bool { return address.String() == host })
	codecs := &webrtc.MediaEngine{}
	video := webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "goog-remb"}},
	}
	audio := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if err := codecs.RegisterCodec(
		webrtc.RTPCodecParameters{RTPCodecCapability: video, PayloadType: 96}, webrtc.RTPCodecTypeVideo,
	); err != nil {
		return nil, err
	}
	if err := codecs.RegisterCodec(
		webrtc.RTPCodecParameters{RTPCodecCapability: audio, PayloadType: 111}, webrtc.RTPCodecTypeAudio,
	); err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(engine))
	return &forwarder{api: api, viewers: map[string]*webrtc.PeerConnection{}}, nil
}

// publish takes the publisher's offer and gives the answer.
func (f *forwarder) publish(sdp string) (string, error) {
	source, err := f.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", err
	}
	f.source = source
	for _, capability := range []webrtc.RTPCodecCapability{
		{MimeType: webrtc.MimeTypeVP8}, {MimeType: webrtc.MimeTypeOpus},
	} {
		track, err := webrtc.NewTrackLocalStaticRTP(capability, capability.MimeType[6:], "load")
		if err != nil {
			return "", err
		}
		f.tracks = append(f.tracks, track)
	}
	source.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		local := f.tracks[0]
		if remote.Kind() == webrtc.RTPCodecTypeAudio {
			local = f.tracks[1]
		}
		buffer := make([]byte, 1500)
		for {
			size, _, err := remote.Read(buffer)
			if err != nil {
				return
			}
			// A viewer that is gone fails alone; the others have been written to.
			_, _ = local.Write(buffer[:size])
		}
	})
	if err := source.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return "", err
	}
	description, err := source.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	return f.describe(source, description)
}

// play gives a viewer's offer, and the name to answer it by.
func (f *forwarder) play() (string, string, error) {
	connection, err := f.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", "", err
	}
	for _, track := range f.tracks {
		transceiver, err := connection.AddTransceiverFromTrack(
			track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly},
		)
		if err != nil {
			return "", "", err
		}
		go f.listen(transceiver.Sender())
	}
	description, err := connection.CreateOffer(nil)
	if err != nil {
		return "", "", err
	}
	sdp, err := f.describe(connection, description)
	f.lock.Lock()
	defer f.lock.Unlock()
	viewer := strconv.Itoa(len(f.viewers) + 1)
	f.viewers[viewer] = connection
	return viewer, sdp, err
}

// listen reads what a viewer reports, and hands its wish for a keyframe to the publisher.
func (f *forwarder) listen(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, wanted := packet.(*rtcp.PictureLossIndication); !wanted {
				continue
			}
			for _, receiver := range f.source.GetReceivers() {
				if track := receiver.Track(); track != nil && track.Kind() == webrtc.RTPCodecTypeVideo {
					_ = f.source.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
				}
			}
		}
	}
}

func (f *forwarder) accept(viewer string, sdp string) error {
	f.lock.Lock()
	connection := f.viewers[viewer]
	f.lock.Unlock()
	return connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
}

// describe makes a description ours, and gives it with all candidates in it.
func (f *forwarder) describe(connection *webrtc.PeerConnection, description webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(connection)
	if err := connection.SetLocalDescription(description); err != nil {
		return "", err
	}
	<-gathered
	return connection.LocalDescription().SDP, nil
}

func (f *forwarder) obey(asked question) answer {
	told := answer{Id: asked.Id}
	var err error
	switch asked.Do {
	case "publish":
		told.Sdp, err = f.publish(asked.Sdp)
	case "play":
		told.Viewer, told.Sdp, err = f.play()
	case "accept":
		err = f.accept(asked.Viewer, asked.Sdp)
	case "hello", "live":
	default:
		told.Error = "what is " + asked.Do
	}
	if err != nil {
		told.Error = err.Error()
	}
	return told
}

func main() {
	forwarder, err := newForwarder(os.Args[1])
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<16), 1<<20)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := output.Encode(forwarder.obey(asked)); err != nil {
			return
		}
	}
}
