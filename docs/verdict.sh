#!/bin/sh
# Every number of docs/verdict.md, in its order: prints each command before its table.  Some twenty minutes on two idle cores.
# Usage: sh docs/verdict.sh [FOLDER]; with a folder each table is also written there as CSV and JSON.
set -eu
spikemesh=${SPIKEMESH:-spikemesh}
folder=${1:-}

show() { # name, then the arguments of spikemesh
    name=$1
    shift
    printf '\n=== %s: spikemesh' "$name"
    for word in "$@"; do case $word in *[\ \[]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
    printf '\n'
    if [ -n "$folder" ]; then "$spikemesh" "$@" -o "$folder/$name"; else "$spikemesh" "$@"; fi
}

# 1 the model's own machine
show model crossover mlp-128-32 --chip yan-2024 --timesteps 3,4,5,6,7,8
show model-large crossover mlp-1024-32 --chip yan-2024 --set mesh.width=33 --set mesh.height=33 --timesteps 5 --limit 1
show model-zeros-read crossover mlp-128-32 --chip yan-2024 --timesteps 5 --set core.synapse.zero_skip=false
show terms-digits validate digits-mlp --timesteps 4
show terms-drawn validate mlp-128-32 --density 0.2 --timesteps 5

# 2 packets built from fields
flits() {
    name=$1
    shift
    show "$name" crossover "$@" --chip yan-2024 --set 'energy.payload_bit_hop.value=0 pJ' --set 'energy.stream_bit_hop.value=0 pJ' \
        --set 'energy.link_east_west.value=3 pJ' --set 'energy.link_north_south.value=3 pJ' \
        --set 'packet.destination=12 bit' --set 'packet.axon=12 bit' --set 'packet.maximum=8 flits'
}
flits flits mlp-128-32 --timesteps 3,4,5,6,7,8
flits flits-shared mlp-1024-256 --timesteps 3,4,5,6,7,8 --neurons-per-core 32 --set 'core.memory.neurons=16 KiB'
show header crossover mlp-128-32 --chip yan-2024 --timesteps 5 --set 'energy.header_bit_hop.value=3 pJ' \
    --chip-set 'packet.axon=0 bit,1 bit,2 bit,4 bit,6 bit,8 bit,12 bit,24 bit'
show header-shared crossover mlp-1024-256 --chip yan-2024 --timesteps 5 --neurons-per-core 32 --set 'core.memory.neurons=16 KiB' \
    --set 'packet.maximum=8 flits' --set 'energy.header_bit_hop.value=3 pJ' \
    --chip-set 'packet.axon=0 bit,1 bit,2 bit,4 bit,8 bit,12 bit,24 bit'
show header-digits crossover digits-mlp --chip yan-2024 --timesteps 4 --density trace \
    --set 'energy.header_bit_hop.value=3 pJ' --chip-set 'packet.axon=0 bit,1 bit,2 bit,3 bit,4 bit,8 bit,24 bit'

# 3 hops
show hops-model crossover mlp-64-16 --chip yan-2024 --timesteps 5 --spread 1,2,3
show hops crossover mlp-1024-1024 --chip generic-22nm --timesteps 5 --spread 1,2,3

# 4 a whole chip
show chip crossover mlp-1024-1024 --chip generic-22nm --timesteps 2,3,4,5,6,7,8
for seed in 1 2; do show "chip-seed-$seed" crossover mlp-1024-1024 --chip generic-22nm --timesteps 2,5 --seed "$seed"; done
show chip-width crossover mlp-1024-1024 --chip generic-22nm --timesteps 5 --chip-set 'packet.axon=0 bit,12 bit,20 bit,40 bit,80 bit'
show chip-best crossover mlp-1024-1024 --chip generic-22nm --timesteps 2,3,4,7,8 --density best
show chip-average crossover mlp-1024-1024 --chip generic-22nm --timesteps 2,3,4,7,8 --density average
show model-average crossover mlp-128-32 --chip yan-2024 --timesteps 2,3,4,7,8 --density average
show digits crossover digits-mlp --chip generic-22nm --timesteps 2,4,8 --density trace
show digits-cnn crossover digits-cnn --chip generic-22nm --timesteps 2,4,8 --density trace

# 5 one ingredient of the chip at a time
without() { # name, then constants that become zero with their bands
    name=$1
    shift
    set -- $(for constant in "$@"; do
        case $constant in
        *memory_leakage) unit=W/bit ;;
        *leakage) unit=W ;;
        *) unit=J ;;
        esac
        printf '%s %s %s %s ' --set "$constant.value=0_$unit" --set "$constant.band=null"
    done)
    # a space within a word would be cut: it travels as an underscore
    for word in "$@"; do
        shift
        case $word in *=0_*) word=$(printf %s "$word" | sed 's/=0_/=0 /') ;; esac
        set -- "$@" "$word"
    done
    show "$name" crossover mlp-1024-1024 --chip generic-22nm --timesteps 5 "$@"
}
leakage='power.core_leakage power.memory_leakage power.router_leakage'
clocks='power.core_clock_active power.core_clock_idle power.router_clock'
membrane='energy.membrane_read energy.membrane_write'
without no-leakage $leakage
without no-leakage-no-clocks $leakage $clocks
without no-membrane $membrane
without no-leakage-no-clocks-no-membrane $leakage $clocks $membrane
large='crossover mlp-1024-1024 --chip generic-22nm --timesteps 5'
show no-barriers $large --set 'energy.barrier.value=0 J' --set energy.barrier.band=null --set barrier.tree=null --set 'barrier.points=[[1, 2 ns]]'
show multicast $large --set router.multicast=true
show touched $large --set core.soma.update=touched
show events-only $large --encodings chip

# 6 weights read once for a window, and streams over trees
window="--firing accumulate --set packet.spikes=counts"
reuse="$window --set core.synapse.reuse=window"
show model-accumulate crossover mlp-128-32 --chip yan-2024 --timesteps 5 --firing accumulate
show model-reuse crossover mlp-128-32 --chip yan-2024 --timesteps 5 $reuse
show accumulate $large --firing accumulate
show counts $large $window
show reuse-planes $large $reuse
show reuse-multiply $large $reuse --set core.synapse.counts=multiply
show digits-reuse crossover digits-mlp --chip generic-22nm --timesteps 4 --density trace $reuse --set core.synapse.counts=multiply

# 7 other chips
for chip in generic-45nm loihi1 seneca-like dense-dataflow; do
    show "on-$chip" crossover mlp-1024-1024 --chip "$chip" --timesteps 5
    show "digits-on-$chip" crossover digits-mlp --chip "$chip" --timesteps 4 --density trace
done

# 8 latency and throughput, three ways to keep steps together
loihi="--set barrier.tree=null --set barrier.points=[[1,57],[64,416]]"
tokens="--set step.synchronisation=tokens"
show time-chip $large
show time-chip-overlap $large --overlap --limit 6
show time-chip-tokens $large $tokens
show time-chip-loihi $large $loihi
show time-chip-multicast $large --set router.multicast=true
digits='twin digits-mlp --timesteps 4 --limit 20'
vgg='twin vgg16-cifar --set mesh.width=20 --set mesh.height=20 --timesteps 4 --limit 2'
show time-digits $digits
show time-digits-overlap $digits --overlap
show time-vgg $vgg
show time-vgg-overlap $vgg --overlap
compared() { # name, then the arguments of examples/tokens.py
    name=$1
    shift
    printf '\n=== %s: python examples/tokens.py %s\n' "$name" "$*"
    ${PYTHON:-python} "$(dirname "$0")/../examples/tokens.py" "$@"
}
compared tokens-latency 4 latency
compared tokens-overlap 4 overlap
show keep-shd-barrier run shd-like --mode snn --limit 1
show keep-shd-tokens run shd-like --mode snn --limit 1 $tokens
