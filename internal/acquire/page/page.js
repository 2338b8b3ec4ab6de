(function(){var f=document.querySelector('input[name=sheet]'),t=Date.now(),sum=0,on=!document.hidden,done=false;
function stop(){if(done||!f||!navigator.sendBeacon)return;if(on)sum+=Date.now()-t;done=true;navigator.sendBeacon(location.pathname,new URLSearchParams({do:'seen',sheet:f.value,ms:String(sum)}))}
document.addEventListener('visibilitychange',function(){if(document.hidden)stop()});addEventListener('pagehide',stop);
var m=document.querySelector('form');if(m)m.addEventListener('submit',function(){var b=m.querySelector('button');setTimeout(function(){b.disabled=true},0);setTimeout(function(){b.disabled=false},8000)})})();
