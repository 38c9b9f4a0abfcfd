; 128-bit multiplication from 64-bit parts. LLVM turns every checked u64 multiplication into a call of __multi3 that returns
; its result in registers, but rustc 1.96 compiles its own __multi3 to return through a pointer: called that way it writes
; wherever the first argument happens to point. The linker puts this one first, and the first definition wins.
target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
target triple = "bpfel"
define hidden i128 @__multi3(i128 %a, i128 %b) noinline optnone nounwind {
  %a0 = trunc i128 %a to i64
  %as = lshr i128 %a, 64
  %a1 = trunc i128 %as to i64
  %b0 = trunc i128 %b to i64
  %bs = lshr i128 %b, 64
  %b1 = trunc i128 %bs to i64
  %x0 = and i64 %a0, 4294967295
  %x1 = lshr i64 %a0, 32
  %y0 = and i64 %b0, 4294967295
  %y1 = lshr i64 %b0, 32
  %p00 = mul i64 %x0, %y0
  %p01 = mul i64 %x0, %y1
  %p10 = mul i64 %x1, %y0
  %p11 = mul i64 %x1, %y1
  %p00h = lshr i64 %p00, 32
  %p01l = and i64 %p01, 4294967295
  %m1 = add i64 %p10, %p00h
  %m2 = add i64 %m1, %p01l
  %m2h = lshr i64 %m2, 32
  %p01h = lshr i64 %p01, 32
  %h1 = add i64 %p11, %m2h
  %h2 = add i64 %h1, %p01h
  %m2s = shl i64 %m2, 32
  %p00l = and i64 %p00, 4294967295
  %lo = or i64 %m2s, %p00l
  %c1 = mul i64 %a0, %b1
  %c2 = mul i64 %a1, %b0
  %h3 = add i64 %h2, %c1
  %hi = add i64 %h3, %c2
  %loz = zext i64 %lo to i128
  %hiz = zext i64 %hi to i128
  %his = shl i128 %hiz, 64
  %r = or i128 %his, %loz
  ret i128 %r
}
